-- What late events touch, written down for a survey.
INSERT INTO survey_resources (survey, account_id, resource_id, noted_at)
SELECT {survey:String}, account_id, resource_id, {noted_at:DateTime64(3, 'UTC')}
FROM
(
    {{touched}}
)
