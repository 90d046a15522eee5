package faults

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/reckon-billing/reckon/schemas"
)

// transactional is a producer of transactions, of a make of its own.
func (w *world) transactional(id string) *kgo.Client {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...), kgo.TransactionalID(id), kgo.TransactionTimeout(5*time.Minute))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(client.Close)
	return client
}

// begin writes the messages in a transaction that stays open.
func (w *world) begin(client *kgo.Client, messages []schemas.Message) {
	w.t.Helper()
	if err := client.BeginTransaction(); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range messages {
		client.Produce(w.t.Context(), &kgo.Record{Topic: m.Topic, Key: m.Key, Value: m.Value, Timestamp: m.Time}, nil)
	}
	if err := client.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) end(client *kgo.Client, how kgo.TransactionEndTry) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	if err := client.EndTransaction(ctx, how); err != nil {
		w.t.Fatal(err)
	}
}

// TestTransactionsAtTheLogsEndHoldUpNoSeal: markers are no messages and aborted
// events are never billed, but the log goes on past them, and a seal must not wait
// for what never comes. An open transaction is late when it is committed.
func TestTransactionsAtTheLogsEndHoldUpNoSeal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.transactional("faults")
	w.begin(client, w.usage(usageTopic, 2000, w.now))
	w.end(client, kgo.TryCommit)
	w.sendUsage(1000)
	kept := w.truth
	w.begin(client, w.usage(usageTopic, 2000, w.now))
	w.end(client, kgo.TryAbort)
	w.truth = kept
	w.made += 10_000 // what was aborted has identities of its own

	open := w.transactional("still-open")
	w.begin(open, w.usage(usageTopic, 500, w.now))
	late := w.truth
	w.truth = kept

	p := w.ingest()
	w.caughtUp(time.Minute)
	began := time.Now()
	w.seal()
	took := time.Since(began)
	w.checkAccounts()
	w.checkInvoiced()

	w.end(open, kgo.TryCommit)
	w.truth = late
	w.caughtUp(time.Minute)
	p.Terminate(t)
	if out := mustRun(t, w.env(), "invoice", "--month", month); !strings.Contains(out, "adjustments") {
		t.Errorf("events of a transaction that was committed after the seal: %q", out)
	}
	w.checkAccounts()
	totals, _ := w.invoiced()
	for i := range accounts {
		if totals[account(i)] != w.total(i) {
			t.Errorf("%s was invoiced %d in all, want %d", account(i), totals[account(i)], w.total(i))
		}
	}
	if !t.Failed() {
		figure(t, "committed, aborted and open transactions at the log's end: sealed in %.1f s, aborted events billed nowhere, 500 events of the open one settled after its commit",
			took.Seconds())
	}
}

// TestTimestampsYearsAwayAreKept: Kafka refuses an hour ahead and deletes after a
// week unless its topics are made otherwise.
func TestTimestampsYearsAwayAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, at := range []time.Time{time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)} {
		w.now = at
		w.sendUsage(1000)
	}
	w.broker.Stop(t)
	w.broker.Start(t)
	w.broker.WaitReady(t)
	p := w.ingest()
	w.caughtUp(time.Minute)
	p.Terminate(t)
	w.checkStored()
	for _, year := range []string{"2025", "2040"} {
		if n := w.number("SELECT uniqExact(identity) FROM reckon.events WHERE toYear(kafka_time) = " + year + " AND is_usage"); n != 1000 {
			t.Errorf("%d events have a timestamp of %s, want 1000", n, year)
		}
	}
	w.seal()
	w.checkInvoiced()
	figure(t, "2000 messages with timestamps of 2025 and 2040 kept over a restart of the broker, unchanged, and billed")
}
