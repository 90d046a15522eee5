ALTER TABLE survey_resources DROP PARTITION {survey:String}
