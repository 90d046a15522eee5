INSERT INTO tombstones (at, account_id, resource_id, run, state, coupon_used) FORMAT Native
