package main

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// J6, F1: two invoicers seal every due month, oldest first, once the grace has
// passed, and no other; what woke them does not matter.
func testInvoicers(t *testing.T, s *servers) {
	i := s.install("RECKON_BILLING_FIRST_MONTH=2026-10", "RECKON_BILLING_SCHEDULE=@every 1s")
	z := zone(t)
	began := time.Now()
	var at atomic.Pointer[time.Time]
	set := func(now time.Time) { at.Store(&now) }
	i.now = func() time.Time { return at.Load().Add(time.Since(began)) }
	// Half an hour after November has ended: October is due, November is not. An
	// hour later that is due as well; the test is far quicker than the rest.
	set(time.Date(2026, 12, 1, 0, 30, 0, 0, z).Add(-time.Since(began)))
	i.must(t, "migrate")
	i.start(t, "ingest")
	i.produce(t, october()...)
	waitStored(t, i, 3)
	i.start(t, "invoicer")
	i.start(t, "invoicer")
	const sealed = "SELECT groupArray(month) FROM (SELECT month FROM {db}.seals FINAL GROUP BY run, month ORDER BY run)"
	eventually(t, "October is sealed", func() bool { return i.ask(t, sealed) == "['2026-10']\n" })
	if got := i.run(t, "invoice", "--month", "2026-11"); got.code != exitFailed || !strings.Contains(got.stderr, "2026-12-01T01:00:00+07:00") {
		t.Errorf("sealing November by hand ended with %d and said %q", got.code, got.stderr)
	}
	set(at.Load().Add(time.Hour))
	eventually(t, "November is sealed", func() bool { return i.ask(t, sealed) == "['2026-10','2026-11']\n" })
	// Two more wakes of each change nothing.
	before := i.issued(t)
	look := time.Now()
	eventually(t, "the invoicers have looked again", func() bool { return time.Since(look) > 2500*time.Millisecond })
	sameText(t, i.issued(t), before)
	i.issuedOnce(t)
	// 187,550, 33,264 and 34,848 of October; 181,500, 47,520 and 95,040 of November.
	if got := i.ask(t, "SELECT month, sum(total_amount) FROM {db}.invoices FINAL GROUP BY month ORDER BY month FORMAT CSV"); got !=
		"\"2026-10\",255662\n\"2026-11\",324060\n" {
		t.Errorf("invoiced\n%s", got)
	}
}

// Without the setting billing begins with the month of the first seal.
func testFirstMonthByDefault(t *testing.T, s *servers) {
	i := s.install()
	i.must(t, "migrate")
	i.start(t, "ingest")
	i.produce(t, october()[1:]...)
	i.must(t, "invoice", "--month", "2026-10")
	if got := i.ask(t, "SELECT first_month FROM {db}.runs FINAL"); got != "2026-10\n" {
		t.Errorf("billing begins with %s", got)
	}
	got := i.run(t, "invoice", "--month", "2026-09")
	if got.code != exitFailed || !strings.Contains(got.stderr, "billing begins with 2026-10: 2026-09 is before it") {
		t.Errorf("sealing the month before ended with %d and said %q%q", got.code, got.stdout, got.stderr)
	}
}

// O7: on a new installation the schedule begins with the month in which the first
// event was stored, and before that event not at all.
func testFirstByItself(t *testing.T, s *servers) {
	i := s.install()
	var ahead atomic.Int64
	i.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	i.must(t, "migrate")
	v, err := i.connect(t).Sealer(nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed := func() string {
		t.Helper()
		seals, err := v.SealDue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var months []string
		for _, seal := range seals {
			months = append(months, seal.Month.String())
		}
		return strings.Join(months, " ")
	}
	i.start(t, "ingest")
	if got := sealed(); got != "" {
		t.Errorf("before any event it seals %s", got)
	}
	now := i.now()
	i.produce(t, createdFor("acme", "server", now.Format(time.RFC3339), "43200"))
	waitStored(t, i, 1)
	if got := sealed(); got != "" {
		t.Errorf("it seals %s, which had ended before the first event was stored", got)
	}
	month := schemas.MonthOf(now, v.Zone)
	ahead.Store(int64(time.Until(month.Next().End(v.Zone)) + 2*v.Grace))
	if got, want := sealed(), month.String()+" "+month.Next().String(); got != want {
		t.Errorf("two months later it seals %q, want %q", got, want)
	}
	if got := i.ask(t, "SELECT DISTINCT first_month FROM {db}.runs FINAL"); got != month.String()+"\n" {
		t.Errorf("billing begins with %s", got)
	}
}

// O7: a first seal by hand needs an event before the month's end, or to be told.
func testEmptyMonth(t *testing.T, s *servers) {
	i := s.install()
	i.must(t, "migrate")
	i.start(t, "ingest")
	refused := func(month string) {
		t.Helper()
		got := i.run(t, "invoice", "--month", month)
		if got.code != exitFailed || !strings.Contains(got.lastLine(), "before the end of "+month) || !strings.Contains(got.lastLine(), "--empty") {
			t.Errorf("sealing %s ended with %d and said %q%q", month, got.code, got.stdout, got.stderr)
		}
	}
	refused("2016-10")
	i.produce(t, createdFor("acme", "server", "2026-10-01T00:00:00+07:00", "43200"))
	waitStored(t, i, 1)
	refused("2016-10")
	refused("2026-09")
	if n := i.ask(t, "SELECT count() FROM {db}.runs"); n != "0\n" {
		t.Errorf("%s runs were written down", n)
	}
	i.must(t, "invoice", "--month", "2026-08", "--empty")
	i.must(t, "invoice", "--month", "2026-10")
	if got := i.ask(t, "SELECT groupArray(month) FROM (SELECT month FROM {db}.runs FINAL ORDER BY number)"); got != "['2026-08','2026-09','2026-10']\n" {
		t.Errorf("sealed are %s", got)
	}
}
