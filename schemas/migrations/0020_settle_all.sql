-- Runs that derive every sealed month of every resource again, and not only of those
-- that late events touch. Whoever carries such a run out, or finishes it, has it from
-- here.
ALTER TABLE runs{{.OnCluster}}
    ADD COLUMN IF NOT EXISTS settle_all Bool COMMENT 'derives every sealed month of every resource again';
ALTER TABLE runs{{.OnCluster}} DROP PROJECTION IF EXISTS by_kind;
ALTER TABLE runs{{.OnCluster}} ADD PROJECTION IF NOT EXISTS by_kind
    (SELECT * ORDER BY kind, number)
    WITH SETTINGS (index_granularity = 512);
ALTER TABLE runs{{.OnCluster}} MATERIALIZE PROJECTION IF EXISTS by_kind;
