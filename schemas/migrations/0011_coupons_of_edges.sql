-- A resource may be at an edge what a provision_failed makes void in the next
-- month. It is then again what it was before, under another coupon perhaps, of
-- which something may have been used.
ALTER TABLE edges{{.OnCluster}} ADD COLUMN IF NOT EXISTS coupon_used_before Decimal(76, {{.Digits}})
    COMMENT 'as coupon_used, of the balance that a provision_failed goes back to';
ALTER TABLE tombstones{{.OnCluster}} ADD COLUMN IF NOT EXISTS coupon_used_before Decimal(76, {{.Digits}});
