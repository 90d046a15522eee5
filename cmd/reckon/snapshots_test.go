package main

import (
	"strings"
	"testing"
)

// Snapshots that cannot be read count as absent: with all of them spoiled in the tables
// the next month is issued as it would have been, and they are written anew.
func testUnreadableSnapshots(t *testing.T, s *servers) {
	settings := []string{"RECKON_BILLING_FIRST_MONTH=2024-10"}
	first := s.install(settings...)
	first.must(t, "migrate")
	first.produce(t, madeUpMonth(t)...)
	sealed := func(i *installation, spoil bool) (issued, remembered string) {
		i.settings = append(i.settings, settings...)
		i.must(t, "migrate")
		stop := i.start(t, "ingest")
		i.must(t, "invoice", "--month", "2024-10")
		if spoil {
			for _, table := range []string{"edges", "tombstones"} {
				if i.ask(t, "SELECT count() FROM {db}."+table) == "0\n" {
					t.Errorf("%s has no rows to spoil", table)
				}
				i.ask(t, "ALTER TABLE {db}."+table+" UPDATE state = 'garbage', coupon_used = 0, coupon_used_before = 0 WHERE 1 SETTINGS mutations_sync = 2")
			}
		}
		// The dead are looked up when something more is said of them.
		i.must(t, "invoice", "--month", "2024-11")
		stop()
		return i.sealedRows(t), i.ask(t, "SELECT at, account_id, resource_id, state, coupon_used, coupon_used_before FROM {db}.edges FINAL "+
			"WHERE at = '2024-12' ORDER BY ALL FORMAT TSV")
	}
	wantIssued, wantRemembered := sealed(first, false)
	issued, remembered := sealed(first.beside(), true)
	if issued != wantIssued {
		t.Errorf("issued with unreadable snapshots\n%s\nand without\n%s", issued, wantIssued)
	}
	if remembered != wantRemembered || strings.Count(remembered, "\n") < 10 {
		t.Errorf("remembered with unreadable snapshots\n%s\nand without\n%s", remembered, wantRemembered)
	}
}
