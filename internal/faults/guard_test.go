package faults

import (
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
)

// TestDangerousServersAreRefusedByTheNameOfTheSetting guards J4: servers that
// would lose or double events are found before any event is touched.
func TestDangerousServersAreRefusedByTheNameOfTheSetting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := embeddedtest.Another(t, w.stack).Endpoints().Native
	refused := 0
	for _, c := range []struct {
		danger   string
		settings string // of the program
		make     func()
		mend     func()
		names    []string
		// readers say so too: migrate, and what only reads.
		readers bool
	}{
		{
			danger: "a table without a deduplication window", names: []string{"table runs", "non_replicated_deduplication_window"},
			make: func() { w.exec("ALTER TABLE reckon.runs MODIFY SETTING non_replicated_deduplication_window = 0") },
			mend: func() { w.exec("ALTER TABLE reckon.runs MODIFY SETTING non_replicated_deduplication_window = 1000") },
		},
		{
			danger: "a table of another engine", names: []string{"table events", "MergeTree"},
			make: func() {
				w.exec("RENAME TABLE reckon.events TO reckon.events_kept")
				w.exec("CREATE TABLE reckon.events ENGINE = MergeTree ORDER BY account_id SETTINGS non_replicated_deduplication_window = 1000 AS SELECT * FROM reckon.events_kept LIMIT 0")
			},
			mend: func() {
				w.exec("DROP TABLE reckon.events")
				w.exec("RENAME TABLE reckon.events_kept TO reckon.events")
			},
		},
		{
			danger: "a table that is missing", names: []string{"table seals", "reckon migrate"},
			make: func() { w.exec("RENAME TABLE reckon.seals TO reckon.seals_kept") },
			mend: func() { w.exec("RENAME TABLE reckon.seals_kept TO reckon.seals") },
		},
		{
			danger: "async inserts that nobody may turn off", names: []string{"async_insert"},
			make: func() {
				w.profile("<async_insert>1</async_insert><wait_for_async_insert>0</wait_for_async_insert><constraints>" +
					"<async_insert><readonly/></async_insert><wait_for_async_insert><readonly/></wait_for_async_insert></constraints>")
			}, // the next one replaces it
		},
		{
			danger: "deduplication that nobody may turn on", names: []string{"deduplicate_insert"},
			make: func() {
				w.profile("<deduplicate_insert>disable</deduplicate_insert><constraints><deduplicate_insert><readonly/></deduplicate_insert></constraints>")
			},
			mend: func() { w.profile("") },
		},
		{danger: "tables that were never made", settings: "CLICKHOUSE_DATABASE=nowhere", names: []string{"reckon migrate"}},
		{danger: "a missing topic of usage", settings: "KAFKA_TOPICS_USAGE=nowhere", names: []string{"kafka.topics.usage", "nowhere", "reckon migrate"}},
		{danger: "a missing topic of lifecycle", settings: "KAFKA_TOPICS_LIFECYCLE=nowhere", names: []string{"kafka.topics.lifecycle", "nowhere"}},
		{
			danger: "a compacted topic", settings: "KAFKA_TOPICS_USAGE=compacted", names: []string{"compacted", "cleanup.policy=compact"},
			make: func() { w.topicWith("compacted", "cleanup.policy", "compact") },
		},
		{ // L5
			danger: "a topic of the broker's own time", settings: "KAFKA_TOPICS_USAGE=appended", names: []string{"appended", "message.timestamp.type=LogAppendTime"},
			make: func() { w.topicWith("appended", "message.timestamp.type", "LogAppendTime") },
		},
		{ // O10
			danger: "a cluster of two shards", settings: "CLICKHOUSE_CLUSTER=halves", names: []string{"clickhouse.cluster", "halves has 2 shards"}, readers: true,
			make: func() { w.clusters(other) },
		},
		{danger: "a cluster that there is not", settings: "CLICKHOUSE_CLUSTER=nowhere", names: []string{"clickhouse.cluster", "no cluster nowhere"}, readers: true},
		{
			danger: "two servers of no cluster", settings: "CLICKHOUSE_ADDRESSES=" + w.proxy.addr() + "," + other, readers: true,
			names: []string{"clickhouse.addresses", w.proxy.addr(), other, "clickhouse.cluster"},
		},
		{danger: "a first month other than the one that the first seal fixed", settings: "BILLING_FIRST_MONTH=2025-02", names: []string{"billing.first_month"}, make: func() {
			p := w.ingest()
			w.sendUsage(1)
			w.caughtUp(time.Minute)
			p.Terminate(t)
			w.seal()
		}},
	} {
		t.Run(c.danger, func(t *testing.T) {
			if c.make != nil {
				c.make()
			}
			before := w.number("SELECT count() FROM reckon.runs")
			commands := [][]string{{"ingest"}, {"invoicer"}, {"invoice", "--month", month}}
			if c.readers {
				commands = append(commands, []string{"migrate"}, []string{"verify", "--month", month}, []string{"report", "usage", "--month", month})
			}
			for _, command := range commands {
				p := start(t, w.env(strings.Fields(c.settings)...), command...)
				code := p.Wait(t, 30*time.Second)
				for _, name := range c.names {
					if said := p.Log.String(); code != 1 || !strings.Contains(said, name) {
						t.Errorf("%s ended with %d and said %q; want 1 and %q", p, code, said, name)
					}
				}
			}
			if n := w.number("SELECT count() FROM reckon.runs"); n != before {
				t.Errorf("%d runs were written down", n-before)
			}
			if c.mend != nil {
				c.mend()
			}
			refused++
		})
	}
	// A cluster of one shard is none of these: its tables are to be replicated, which the
	// engine here does not do.
	p := start(t, w.env("CLICKHOUSE_CLUSTER=copies"), "ingest")
	if code, said := p.Wait(t, 30*time.Second), p.Log.String(); code != 1 || strings.Contains(said, "clickhouse.cluster") {
		t.Errorf("with a cluster of one shard ingest ended with %d and said %q", code, said)
	}
	p = w.ingest() // and what was mended is taken again
	w.sendUsage(1000)
	w.caughtUp(time.Minute)
	p.Terminate(t)
	w.checkStored()
	if !t.Failed() {
		figure(t, "%d dangerous servers refused by ingest, invoicer and invoice, each with the setting's name", refused)
	}
}

// topicWith makes a topic with a setting.
func (w *world) topicWith(name, setting, value string) {
	w.t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(w.addrs...), Timeout: 10 * time.Second}
	res, err := client.CreateTopics(w.t.Context(), &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{{
		Topic: name, NumPartitions: 1, ReplicationFactor: 1,
		ConfigEntries: []kafkago.ConfigEntry{{ConfigName: setting, ConfigValue: value}},
	}}})
	if err == nil {
		err = res.Errors[name]
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
