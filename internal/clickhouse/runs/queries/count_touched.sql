SELECT toInt64(count()) FROM (SELECT DISTINCT account_id, resource_id FROM touched_resources WHERE run = {run:Int64})
