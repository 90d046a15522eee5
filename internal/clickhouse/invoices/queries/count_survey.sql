-- How much of a survey is stored.
SELECT
    (SELECT toInt64(count()) FROM survey_anomalies FINAL WHERE survey = {survey:String}) AS anomalies,
    (SELECT toInt64(count()) FROM survey_resources FINAL WHERE survey = {survey:String}) AS resources
