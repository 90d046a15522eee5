-- ClickHouse's own Kafka table: the raw bytes of each message and what the
-- broker says of it. Blocks are as large as they get, since the cost of a block
-- is shared by its rows.
CREATE TABLE queue (raw String)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{.Broker}}', kafka_topic_list = 'billing.usage', kafka_group_name = '{{.Group}}',
    kafka_format = 'RawBLOB', kafka_num_consumers = 2, kafka_thread_per_consumer = 1,
    kafka_max_block_size = {{.Block}}, kafka_poll_max_batch_size = 65536,
    kafka_flush_interval_ms = {{.Flush}}, kafka_poll_timeout_ms = {{.Poll}}
