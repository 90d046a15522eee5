package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/reckon-billing/reckon/internal/simulate"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// goldenReplays are whole replays with what they must print.
//
// The golden files were worked by hand from the provider's published examples
// (WF) and from contract 3 to 5, not copied from the program: each amount was
// written down and then checked against the formula in exact fractions by a
// script that shares no code with reckon, which also hashed the invoice codes.
// Where a price is 43,200 for 30 days, a minute costs 1 and the amounts are the
// minutes. Do not update a golden file from the program's output.
func goldenReplays() []goldenReplay {
	return []goldenReplay{
		// WD1 to WD7, WD10, WF1, WF6 to WF12. No month holds 50 days: WF6 is 25 days of
		// quantity two. 866,667 - 301,667 is the 565,000 that WF6 pays; 346,667 -
		// 120,667 the 226,000 that WF7 returns; 8,800 - 3,300 the 5,500 of WF8;
		// 7,333 + 7,960 the 15,293 of WF12.
		{"the worked examples", "worked_examples", nil, simulate.Counts{Stored: 41}},
		// December 2023 to April 2024, with a February of 29 days, seen by what
		// begins and ends on, just before and just after their edges; the one of 28
		// days is WD3. Billing begins in December: what was lived before is not billed.
		{"month edges, year ends and changes within a minute", "month_edges", nil, simulate.Counts{Stored: 25}},
		// Oldest period first over the months, in proportion within a period, largest
		// remainder first, ties in item order; the rest of a balance is lost when a
		// recovery brings another.
		{"G1 G3 G6: coupons over periods, months and lives", "coupons", nil, simulate.Counts{Stored: 15}},
		// An account that nobody put on postpaid pays first: its quantity items make
		// no lines. Its missing term is not counted as an anomaly, the renewal of a
		// postpaid resource is.
		{"prepaid accounts and changes of mode", "modes", nil, simulate.Counts{Stored: 8, Anomalous: 1}},
		// Anomalies: resized after deletion, failed a millisecond too late, created
		// twice, deleted unknown, usage in what never was, and resumed, suspended and
		// recovered to no effect.
		{"lives that fail, end, begin again and never were", "lives", nil, simulate.Counts{Stored: 29, Anomalous: 8}},
		// The first seal issues ten lines. Late come usage (debit), a deletion
		// (credit), a failure (the line is gone), a change at the very instant of the
		// creation (one line is gone, the other dearer), a change under a coupon (the
		// balance moves on) and one that splits a period; another copy of a creation
		// changes nothing. Sealing again without news prints nothing, and with news
		// settles every sealed month.
		{"H1 H6 L4: late events become adjustments", "late", nil, simulate.Counts{Stored: 16, Conflicting: 1}},
		{"all eight meters, allowances and units of time", "meters", nil, simulate.Counts{Stored: 38, Anomalous: 1}},
		{"E1 E8: the largest and smallest numbers, and text that CSV quotes", "extremes", nil, simulate.Counts{Stored: 4}},
		// November 2026 in New York has 43,260 minutes (C5, C11).
		{
			"dollars with cents across a change of the clock", "dollars",
			[]string{"RECKON_BILLING_CURRENCY=USD", "RECKON_BILLING_ZONE=America/New_York"},
			simulate.Counts{Stored: 5},
		},
	}
}

type goldenReplay struct {
	name, file string
	settings   []string
	counts     simulate.Counts
}

func (s goldenReplay) path() string { return filepath.Join("testdata", s.file+".jsonl") }

// golden is what must stand on stdout.
func (s goldenReplay) golden(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", s.file+".golden.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// countsLine is the last line of stderr as contract 7 writes it.
func countsLine(c simulate.Counts) string {
	return fmt.Sprintf(`{"stored":%d,"duplicate":%d,"conflicting":%d,"rejected":%d,"anomalous":%d}`,
		c.Stored, c.Duplicate, c.Conflicting, c.Rejected, c.Anomalous)
}

func TestReplayPrintsWhatWasWorkedByHand(t *testing.T) {
	for _, s := range goldenReplays() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := runReckon(t, s.settings, "replay", s.path())
			if got.code != 0 {
				t.Fatalf("ended with %d:\n%s", got.code, got.stderr)
			}
			sameText(t, got.stdout, s.golden(t))
			if got.lastLine() != countsLine(s.counts) {
				t.Errorf("the last line of stderr is\n%s\nmust be\n%s", got.lastLine(), countsLine(s.counts))
			}
		})
	}
}

// sameText compares line by line and tells the first difference.
func sameText(t testing.TB, got, want string) {
	t.Helper()
	if differ := testkit.Difference(got, want); differ != "" {
		t.Error(differ)
	}
}
