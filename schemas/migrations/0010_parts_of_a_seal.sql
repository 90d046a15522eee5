-- What a seal writes costs less to store. Neither setting changes what is stored,
-- only how it lies on disk, and both hold from the next insert and merge on.
--
-- A seal inserts some 20 000 rows at a time, in key order, and never changes them.
--   min_bytes_for_wide_part  of 64 MiB instead of 10: a part of one insert, or of
--                            a merge of a few, is one file and not one for each
--                            stream of each column. A part of periods was 170
--                            files, now 10, every one made and flushed. Reading all
--                            columns, as seals and verify do, takes the same.
--   merge_selector_base      of 16 instead of 5: ClickHouse merges parts when there
--                            are about that many of one size. The parts of one seal
--                            hardly overlap, so merging them is of little use to
--                            readers, but at 5 it took more of the server beside a
--                            seal than the inserts did, and every row was
--                            written again. Readers pay for it until the merge
--                            comes: reading periods, lines and headers of eight
--                            parts takes 0.35 s more, merging those took 1.3 s.
-- Of 3 million lifecycle events (150 000 lines) the server's processor time for a
-- seal went from 4.5-5.4 s to 3.0 s, the files flushed from 1950 to 1050.
--
-- On a cluster such a setting is each replica's own and not replicated, so every
-- replica is told, as ON CLUSTER does for a statement that changes only settings.
ALTER TABLE periods{{.OnCluster}}
    MODIFY SETTING min_bytes_for_wide_part = 67108864, merge_selector_base = 16;
ALTER TABLE invoice_lines{{.OnCluster}}
    MODIFY SETTING min_bytes_for_wide_part = 67108864, merge_selector_base = 16;
ALTER TABLE invoices{{.OnCluster}}
    MODIFY SETTING min_bytes_for_wide_part = 67108864, merge_selector_base = 16;
ALTER TABLE edges{{.OnCluster}}
    MODIFY SETTING min_bytes_for_wide_part = 67108864, merge_selector_base = 16;
ALTER TABLE tombstones{{.OnCluster}}
    MODIFY SETTING min_bytes_for_wide_part = 67108864, merge_selector_base = 16;
ALTER TABLE item_minutes{{.OnCluster}}
    MODIFY SETTING min_bytes_for_wide_part = 67108864, merge_selector_base = 16;
ALTER TABLE invoice_hashes{{.OnCluster}}
    MODIFY SETTING min_bytes_for_wide_part = 67108864, merge_selector_base = 16;
