SELECT toInt64(count()) FROM (SELECT DISTINCT account_id, resource_id FROM survey_resources WHERE survey = {survey:String})
