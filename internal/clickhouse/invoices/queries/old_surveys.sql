-- Surveys of which there are rows and that do not hold: whole ones, and those that were
-- begun long ago. One that is being made has no row in surveys yet.
WITH (SELECT argMax(survey, (run, messages, -toInt64(length(left_out)), noted_at)) FROM surveys) AS newest
SELECT DISTINCT survey
FROM
(
    SELECT survey, noted_at FROM survey_anomalies
    UNION ALL
    SELECT survey, noted_at FROM survey_resources
)
WHERE survey != newest AND (survey IN (SELECT survey FROM surveys) OR noted_at < {before:DateTime64(3, 'UTC')})
