-- What the row of a run and that of its seal said when the seal was written, column by
-- column, so that reckon verify names the one that was changed since. The columns stand
-- there by their names: one that a table gains is proven from then on, and what was
-- sealed before proves what it has. Seals that were written before this have none.
ALTER TABLE seals{{.OnCluster}} ADD COLUMN IF NOT EXISTS proof Array(Tuple(column String, hash Int64))
    COMMENT 'the first 8 bytes of the SHA-256 of each column';
