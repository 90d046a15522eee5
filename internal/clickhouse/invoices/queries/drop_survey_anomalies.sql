ALTER TABLE survey_anomalies DROP PARTITION {survey:String}
