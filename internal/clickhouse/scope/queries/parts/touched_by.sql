-- The resources that whoever asks has written down as touched: a run or, where it has a
-- name, a survey.
SELECT account_id, resource_id FROM touched_resources WHERE run = {run:Int64} AND {survey:String} = ''
            UNION ALL
            SELECT account_id, resource_id FROM survey_resources WHERE survey = {survey:String} AND {survey:String} != ''
