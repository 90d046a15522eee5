package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// october is a small month with a history before it: an account with a server
// that lives since September, one with usage, and a poisoned line.
func october() []string {
	return []string{
		createdFor("acme", "old", "2026-09-20T00:00:00+07:00", "165000"),
		createdFor("beta", "server", "2026-10-11T00:00:00+07:00", "43200"),
		createdFor("gamma", "server", "2026-10-21T00:00:00+07:00", "86400"),
		`this is not an event`,
	}
}

// createdFor is the creation of a postpaid resource of one item with 10 % tax.
func createdFor(account, resource, at, price string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"created %[1]s %[2]s","source":"test","type":"resource.created","subject":"%[2]s",`+
		`"time":"%[3]s","data":{"account_id":"%[1]s","mode":"postpaid","resource_name":"%[2]s","product":"p","service":"s",`+
		`"items":[{"item":"cpu","unit":"core","unit_price":"%[4]s","quantity":"1","tax_percent":"10"}]}}`, account, resource, at, price)
}

func deletedFor(account, resource, at string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"deleted %[1]s %[2]s","source":"test","type":"resource.deleted","subject":"%[2]s",`+
		`"time":"%[3]s","data":{"account_id":"%[1]s"}}`, account, resource, at)
}

// The way of an operator: migrate, ingest, look, seal, report, settle.
func testProductionPath(t *testing.T, s *servers) {
	i := s.install("RECKON_BILLING_FIRST_MONTH=2026-10")
	i.must(t, "migrate")
	i.must(t, "migrate") // again changes nothing
	stop := i.start(t, "ingest")
	i.produce(t, october()...)

	// 31 days of 165,000 are 170,500 and 17,050 of tax; 21 days of 43,200 are
	// 30,240 and 3,024; 11 days of 86,400 are 31,680 and 3,168.
	preview := i.must(t, "invoice", "--month", "2026-10", "--dry-run", "--format", "csv")
	for _, amounts := range []string{",170500,17050,,0,187550,2026-10,invoice\n", ",30240,3024,,0,33264,2026-10,invoice\n", ",31680,3168,,0,34848,2026-10,invoice\n"} {
		if !strings.Contains(preview, amounts) {
			t.Errorf("the preview does not say %q:\n%s", amounts, preview)
		}
	}
	if n := i.ask(t, "SELECT count() FROM {db}.runs"); n != "0\n" {
		t.Errorf("a preview wrote %s runs", n)
	}
	said := i.must(t, "invoice", "--month", "2026-10")
	if want := "3 invoices, 0 adjustments, 3 lines, total 255662 VND"; !strings.Contains(said, want) {
		t.Errorf("the seal said %q, not %q", said, want)
	}
	before := i.issued(t)
	if said := i.must(t, "invoice", "--month", "2026-10"); !strings.Contains(said, "sealed already") {
		t.Errorf("a second seal said %q", said)
	}
	sameText(t, i.issued(t), before)
	if got := i.must(t, "report", "usage", "--month", "2026-10", "--format", "csv"); withoutCreated(got) != withoutCreated(preview) {
		t.Errorf("sealed\n%s\nbut previewed\n%s", got, preview)
	}
	if got := i.must(t, "report", "usage", "--month", "2026-10", "--format", "csv", "--account", "beta"); strings.Count(got, "\n") != 2 ||
		!strings.Contains(got, "\nbeta,") {
		t.Errorf("beta's report is\n%s", got)
	}
	if got := i.ask(t, "SELECT reason FROM {db}.dead_letters FINAL"); got != "not_json\n" {
		t.Errorf("dead letters hold %q", got)
	}
	refusesOtherSettings(t, i)

	// Late: gamma's server went after ten days of eleven, at 2 a minute.
	i.produce(t, deletedFor("gamma", "server", "2026-10-31T00:00:00+07:00"))
	preview = i.must(t, "invoice", "--month", "2026-10", "--dry-run", "--format", "csv")
	if strings.Count(preview, "\n") != 3 || !strings.Contains(preview, ",-31680,-3168,,0,-34848,2026-10,adjustment\n") ||
		!strings.Contains(preview, ",28800,2880,,0,31680,2026-10,adjustment\n") {
		t.Errorf("the preview of a settlement is\n%s", preview)
	}
	said = i.must(t, "invoice", "--month", "2026-10")
	if want := "0 invoices, 1 adjustments, 2 lines, total -3168 VND"; !strings.Contains(said, want) {
		t.Errorf("settling said %q, not %q", said, want)
	}
	stop()
	i.issuedOnce(t)
}

// withoutCreated cuts the column created_at, which is the clock's.
func withoutCreated(csv string) string {
	lines := strings.Split(csv, "\n")
	for i, line := range lines {
		if fields := strings.Split(line, ","); len(fields) > 2 {
			fields[2] = ""
			lines[i] = strings.Join(fields, ",")
		}
	}
	return strings.Join(lines, "\n")
}

// refusesOtherSettings: what the first seal fixed stays (contract 1, 5.0).
func refusesOtherSettings(t *testing.T, i *installation) {
	t.Helper()
	for _, c := range []struct{ setting, says string }{
		{"RECKON_BILLING_CURRENCY=JPY", "billing.currency"},
		{"RECKON_BILLING_CURRENCY=USD", "billing.currency"},
		{"RECKON_BILLING_ZONE=Asia/Tokyo", "billing.zone"},
		{"RECKON_BILLING_FIRST_MONTH=2026-11", "billing.first_month"},
	} {
		other := *i
		other.settings = append(append([]string{}, i.settings...), c.setting)
		for _, args := range [][]string{{"invoice", "--month", "2026-11"}, {"invoicer"}, {"ingest"}, {"up"}} {
			got := other.run(t, args...)
			if got.code == 0 || !strings.Contains(got.stderr, c.says) {
				t.Errorf("reckon %s with %s ended with %d and said %q", args[0], c.setting, got.code, got.stderr)
			}
		}
	}
}

func testNotDueYet(t *testing.T, s *servers) {
	i := s.install("RECKON_BILLING_GRACE=90m")
	i.must(t, "migrate")
	month := schemas.MonthOf(i.now(), zone(t))
	got := i.run(t, "invoice", "--month", month.String())
	if want := month.Next().String() + "-01T01:30:00+07:00"; got.code != exitFailed || !strings.Contains(got.stderr, want) {
		t.Errorf("sealing %s ended with %d and said %q, not %q", month, got.code, got.stderr, want)
	}
}

// A first seal that would forget what was lived before it refuses, and bills
// it when told where billing begins.
func testFirstSealRefuses(t *testing.T, s *servers) {
	i := s.install()
	i.must(t, "migrate")
	i.start(t, "ingest")
	i.produce(t, october()...)
	got := i.run(t, "invoice", "--month", "2026-10")
	if got.code != exitFailed || !strings.Contains(got.stderr, "billing.first_month") || !strings.Contains(got.stderr, "2026-09") {
		t.Errorf("the first seal ended with %d and said %q", got.code, got.stderr)
	}
	if n := i.ask(t, "SELECT count() FROM {db}.runs"); n != "0\n" {
		t.Errorf("it wrote %s runs", n)
	}
	i.settings = append(i.settings, "RECKON_BILLING_FIRST_MONTH=2026-09")
	said := i.must(t, "invoice", "--month", "2026-10")
	// 11 days of 165,000 with tax are 66,550.
	if want := "1 invoices, 0 adjustments, 1 lines, total 66550 VND"; !strings.Contains(said, want) || strings.Count(said, "\n") != 2 {
		t.Errorf("sealing September and October said %q, not %q", said, want)
	}
}

// A seal waits for ingest and says which partition lags.
func testSealWaits(t *testing.T, s *servers) {
	i := s.install("RECKON_BILLING_FIRST_MONTH=2026-10")
	i.must(t, "migrate")
	i.produce(t, october()...)
	got := i.run(t, "invoice", "--month", "2026-10", "--wait", "300ms")
	if got.code != exitFailed || !strings.Contains(got.stderr, "waiting for ingest: "+i.name+".lifecycle/") ||
		!strings.Contains(got.lastLine(), "stored to 0 of") {
		t.Errorf("a seal without ingest ended with %d and said %q", got.code, got.stderr)
	}
	if n := i.ask(t, "SELECT count() FROM {db}.runs"); n != "0\n" {
		t.Errorf("it wrote %s runs", n)
	}
}

// F4, F9: one broken account is parked and named, the others are sealed; mended,
// its invoices come from the same cutoff as the others'.
func testParkedAccount(t *testing.T, s *servers) {
	whole := s.install("RECKON_BILLING_FIRST_MONTH=2026-10")
	broken := s.install("RECKON_BILLING_FIRST_MONTH=2026-10")
	for _, i := range []*installation{whole, broken} {
		i.must(t, "migrate")
		i.start(t, "ingest")
		i.produce(t, october()...)
		waitStored(t, i, 3)
	}
	corrupt := func(from, to string) {
		broken.ask(t, "ALTER TABLE {db}.events UPDATE data = replaceOne(data, '"+from+"', '"+to+"') "+
			"WHERE account_id = 'beta' SETTINGS mutations_sync = 2")
	}
	corrupt(`"43200"`, `"43200x"`)
	got := broken.run(t, "invoice", "--month", "2026-10")
	if got.code != exitFailed || !strings.Contains(got.stderr, `account "beta" is parked`) || strings.Contains(got.stderr, "acme") ||
		!strings.Contains(got.stdout, "2 invoices") {
		t.Fatalf("sealing a broken account ended with %d and said %q and %q", got.code, got.stdout, got.stderr)
	}
	got = broken.run(t, "invoice", "--month", "2026-10")
	if got.code != exitFailed || !strings.Contains(got.stderr, `account "beta" is parked`) {
		t.Errorf("sealing it still broken ended with %d and said %q", got.code, got.stderr)
	}
	// What comes after the cutoff is late for it as for the others.
	late := deletedFor("beta", "server", "2026-10-12T00:00:00+07:00")
	broken.produce(t, late)
	waitStored(t, broken, 4)
	corrupt(`"43200x"`, `"43200"`)
	said := broken.must(t, "invoice", "--month", "2026-10")
	// 21 days of 43,200 with tax from the cutoff; the day that remains is 1,584.
	for _, want := range []string{"by run 1: 3 invoices, 0 adjustments, 3 lines, total 255662", "by run 2: 0 invoices, 1 adjustments, 2 lines, total -31680"} {
		if !strings.Contains(said, want) {
			t.Errorf("mending said %q, not %q", said, want)
		}
	}
	whole.must(t, "invoice", "--month", "2026-10")
	whole.produce(t, late)
	waitStored(t, whole, 4)
	whole.must(t, "invoice", "--month", "2026-10")
	const rows = "SELECT * EXCEPT created_at FROM {db}.usage_report FORMAT TSV"
	sameText(t, broken.ask(t, rows), whole.ask(t, rows))
	if n := broken.ask(t, "SELECT uniqExact(created_at) FROM {db}.invoices FINAL WHERE kind = 'invoice'"); n != "1\n" {
		t.Errorf("the invoices are of %s instants", n)
	}
	broken.issuedOnce(t)
}

// waitStored waits until ingest has stored so many events.
func waitStored(t testing.TB, i *installation, events int) {
	t.Helper()
	want := fmt.Sprintf("%d\n", events)
	eventually(t, "events are stored", func() bool { return i.ask(t, "SELECT count() FROM {db}.events FINAL") == want })
}
