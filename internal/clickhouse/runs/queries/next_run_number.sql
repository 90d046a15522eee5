-- The number after the newest run's, 1 for the first. The server knows the highest of
-- each part: no row is read.
SELECT max(number) + 1 FROM runs
