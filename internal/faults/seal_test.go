package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// sealWorld is a world whose events are all stored, ready to be sealed.
func sealWorld(t *testing.T, events int) *world {
	t.Helper()
	w := newWorld(t)
	w.sendUsage(events)
	p := w.ingest()
	w.caughtUp(time.Minute)
	p.Terminate(t)
	return w
}

// unseal forgets everything that was sealed.
func (w *world) unseal() {
	w.t.Helper()
	rows, err := w.store.Query(w.t.Context(), "SELECT name FROM system.tables WHERE database = 'reckon' AND engine LIKE '%MergeTree' AND name NOT IN "+
		"('events', 'identities', 'dead_letters', 'schema_migrations', 'dead_letter_replays', 'dead_letter_copies', "+
		"'logs', 'log_notes', 'log_marks', 'installation')")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			w.t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if rows.Err() != nil || len(tables) < 8 {
		w.t.Fatalf("%d tables, %v", len(tables), rows.Err())
	}
	for _, name := range tables {
		w.exec("TRUNCATE TABLE reckon." + name)
	}
}

// sealed is every byte that was sealed, but for the instant of noting, which has
// to be that of the one run in all of them; each invoice has to be there once.
func (w *world) sealed() string {
	w.t.Helper()
	if n := w.number("SELECT uniqExact(number, created_at, cutoff) FROM reckon.runs"); n != 1 {
		w.t.Errorf("%d runs are written down, want 1", n)
	}
	if n := w.number("SELECT countIf(created_at != (SELECT any(created_at) FROM reckon.runs)) FROM reckon.invoices"); n != 0 {
		w.t.Errorf("%d invoices were not created when the run noted", n)
	}
	count, distinct := w.number("SELECT count() FROM reckon.invoices FINAL"), w.number("SELECT uniqExact(code) FROM reckon.invoices")
	if count != accounts || distinct != accounts {
		w.t.Errorf("%d invoices of %d codes, want %d", count, distinct, accounts)
	}
	var all strings.Builder
	var hashes []string
	for _, row := range w.report() {
		row[2] = "" // created_at
		fmt.Fprintln(&all, strings.Join(row, ","))
	}
	for table, columns := range map[string]string{
		"invoices": "* EXCEPT created_at", "invoice_lines": "*", "periods": "*", "edges": "*", "tombstones": "*", "run_anomalies": "*",
	} {
		var hash string
		if err := w.store.QueryRow(w.t.Context(), fmt.Sprintf("SELECT hex(sipHash128(groupArray(r))) FROM "+
			"(SELECT formatRowNoNewline('TSV', %s) AS r FROM reckon.%s FINAL ORDER BY r)", columns, table)).Scan(&hash); err != nil {
			w.t.Fatal(err)
		}
		hashes = append(hashes, table+" "+hash)
	}
	slices.Sort(hashes)
	fmt.Fprintln(&all, strings.Join(hashes, "\n"))
	return all.String()
}

// reads counts what the program says to ClickHouse until it has ended, or is
// killed at the point.
func (w *world) sealUntil(point int64, afterwards time.Duration) (reads int64, killed bool) {
	w.t.Helper()
	begin := w.proxy.reads.Load()
	reached := make(chan struct{})
	var once sync.Once
	w.proxy.watch(func() {
		if point > 0 && w.proxy.reads.Load()-begin >= point {
			once.Do(func() { close(reached) })
		}
	})
	defer w.proxy.watch(nil)
	p := start(w.t, w.env(), "invoice", "--month", month)
	select {
	case <-reached:
		time.Sleep(afterwards)
		killed = p.Running()
		p.Kill()
	case <-p.Ended():
		if code := p.ExitCode(); code != 0 {
			w.t.Fatalf("%s ended with %d: %s", p, code, &p.Log)
		}
	}
	return w.proxy.reads.Load() - begin, killed
}

// TestASealKilledAnywhereAndRepeatedIssuesTheSameInvoicesOnce guards F1, F2, F4
// and F7.
func TestASealKilledAnywhereAndRepeatedIssuesTheSameInvoicesOnce(t *testing.T) {
	t.Parallel()
	points := size(15, 200)
	w := sealWorld(t, 20_000)
	all, _ := w.sealUntil(0, 0)
	want := w.sealed()
	w.checkInvoiced()
	random := rand.New(rand.NewPCG(7, 8))
	kills := 0
	for i := 0; kills < points; i++ {
		w.unseal()
		// How often a seal speaks to ClickHouse varies by a little: one that had ended
		// by its point tells where the last one is.
		reads, killed := w.sealUntil(1+int64(i)*all/int64(points)%all, time.Duration(random.IntN(5000))*time.Microsecond)
		if killed {
			kills++
		} else {
			all = min(all, reads)
		}
		if i > 3*points {
			t.Fatalf("only %d of %d seals could be killed", kills, i)
		}
		w.sealUntil(0, 0)
		if d := testkit.Difference(w.sealed(), want); d != "" {
			t.Fatalf("killed at point %d of %d and repeated, the seal differs in %s", i, points, d)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	w.checkInvoiced()
	figure(t, "the sealing run killed with -9 %d times, spread over the %d times that it writes to ClickHouse, and repeated: identical bytes, each of %d invoices once",
		kills, all, accounts)
}

// TestTwoRunnersAtOnceIssueTheSameInvoicesOnce guards F2: in half of the rounds
// one of the two is killed.
func TestTwoRunnersAtOnceIssueTheSameInvoicesOnce(t *testing.T) {
	t.Parallel()
	rounds := size(5, 40)
	w := sealWorld(t, 20_000)
	w.sealUntil(0, 0)
	want := w.sealed()
	random := rand.New(rand.NewPCG(9, 10))
	kills := 0
	for round := range rounds {
		w.unseal()
		runners := []*testkit.Process{start(t, w.env(), "invoice", "--month", month), start(t, w.env(), "invoice", "--month", month)}
		if round%2 == 1 {
			time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
			if runners[1].Running() {
				kills++
			}
			runners[1].Kill()
			runners = runners[:1]
		}
		for _, p := range runners {
			if code := p.Wait(t, time.Minute); code != 0 {
				t.Errorf("round %d: %s ended with %d", round, p, code)
			}
		}
		if d := testkit.Difference(w.sealed(), want); d != "" || t.Failed() {
			t.Fatalf("after round %d the seal differs in %s", round, d)
		}
	}
	w.checkInvoiced()
	figure(t, "two sealing runs at once %d times (one of them killed with -9 %d times): identical bytes, each of %d invoices once", rounds, kills, accounts)
}

// TestAnOverflownDeduplicationWindowChangesNoInvoice guards A3 and J4: the server
// has forgotten every insert when the whole log is read again.
func TestAnOverflownDeduplicationWindowChangesNoInvoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("ALTER TABLE reckon.events MODIFY SETTING non_replicated_deduplication_window = 1")
	w.exec("SYSTEM STOP MERGES reckon.events") // so that repeats stay to be seen
	w.sendUsage(size(20_000, 500_000))
	again := func(group string) {
		w.forgetLogs()
		p := w.ingest("KAFKA_GROUP=" + group)
		testkit.Eventually(t, 2*time.Minute, "ingest has committed everything", func() bool {
			lags, err := w.kafka.Lag(t.Context(), group, lifecycleTopic, usageTopic)
			for _, l := range lags {
				if l.Committed < l.End {
					return false
				}
			}
			return err == nil
		})
		p.Terminate(t)
	}
	again(group)
	again("second")
	repeated := w.number("SELECT count() FROM reckon.events") - w.messages
	if repeated < w.messages*9/10 {
		t.Errorf("only %d rows of %d were stored again: the window did not overflow", repeated, w.messages)
	}
	w.seal()
	w.checkStored()
	w.checkInvoiced()
	want := w.sealed()
	again("third")
	w.exec("SYSTEM START MERGES reckon.events")
	if out := mustRun(t, w.env(), "invoice", "--month", month); !strings.Contains(out, "sealed already") {
		t.Errorf("sealing again said %q", out)
	}
	w.exec("OPTIMIZE TABLE reckon.events FINAL")
	if out := mustRun(t, w.env(), "invoice", "--month", month); !strings.Contains(out, "sealed already") {
		t.Errorf("sealing again after a merge said %q", out)
	}
	if d := testkit.Difference(w.sealed(), want); d != "" {
		t.Errorf("the seal became another in %s", d)
	}
	w.checkInvoiced()
	if !t.Failed() {
		figure(t, "deduplication window overflown: %d of %d messages stored again before the seal, all again after it: invoices unchanged", repeated, w.messages)
	}
}
