INSERT INTO dead_letter_replays (topic, partition, offset, new_partition, new_offset, fixed, replayed_at) FORMAT Native
