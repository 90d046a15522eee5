SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = {cluster:String}
