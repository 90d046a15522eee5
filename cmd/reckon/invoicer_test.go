package main

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
