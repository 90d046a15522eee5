// Command bench measures reckon against its rivals on this machine: run it by
// `make bench`, or `make bench-short` for a tenth of the sizes. It prints its
// tables and writes them to BENCHMARKS.md, and the medians to bench.json.
//
// The broker, ClickHouse and reckon share the cores, each in a process of its
// own: this program starts itself again as the servers (broker and, in a child,
// the ClickHouse engine) and for each seal; ingest is `reckon ingest` itself.
// Every benchmark begins on empty servers. reckon and a rival take turns in the
// same run, each going first every other time; a ratio is the median of the
// ratios of such pairs.
//
// What is measured:
//   - ingest: a waiting topic is emptied into the table of events. The rival is
//     ClickHouse's Kafka engine with a materialized view (queries/kafka_*.sql)
//     into the same table;
//   - month-end: a month of stored events is sealed, from the start of the seal
//     to its end. The rival is one SQL statement (queries/rival_*.sql over
//     queries/billing.sql). Both write lines; that they are the same is checked
//     after each pair (queries/differences.sql). The events are made in SQL
//     (queries/lifecycle.sql, queries/usage.sql), so Kafka has no part in it: a
//     fixed log says where they end;
//   - growth: more events, a year of history, one giant resource, one account
//     whose events were all sent twice;
//   - latency: from produced to found by a query.
//
// CPU times are those that Linux accounts to a process, peaks the most memory it
// had resident. Where a seal's time goes is told by a trace that stands between
// the stages and the store, in a run of its own; with -profiles each seal leaves
// a CPU profile.
package main
