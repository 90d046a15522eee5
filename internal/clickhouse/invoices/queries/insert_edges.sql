INSERT INTO edges (at, account_id, resource_id, run, state, coupon_used, coupon_used_before) SETTINGS optimize_on_insert = 0 FORMAT Native
