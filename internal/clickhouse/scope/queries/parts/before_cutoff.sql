-- What lies before a cutoff (scope.BindCutoff): a partition that it does not name has
-- nothing there.
offset < transform(
    toInt64(log) * 281474976710656 + toInt64(indexOf({topics:Array(String)}, topic)) * 4294967296 + partition,
    {keys:Array(Int64)}, {ends:Array(Int64)}, toInt64(0))
