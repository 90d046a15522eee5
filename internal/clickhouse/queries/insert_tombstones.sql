INSERT INTO tombstones (at, account_id, resource_id, run, state, coupon_used) SETTINGS optimize_on_insert = 0 FORMAT Native
