package main

import (
	"strings"
	"sync"
	"testing"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// madeUpMonth is a month long past, so that it is due by any machine's clock.
func madeUpMonth(t testing.TB) []string {
	t.Helper()
	text := mustRun(t, nil, "generate", "--seed", "11", "--month", "2024-10", "--accounts", "8", "--resources", "150", "--usage", "1500")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[:len(lines)-1] // but for the seal
}

// beside is an installation that reads the same topics into a database of its
// own, in a group of its own.
func (i *installation) beside() *installation {
	other := i.servers.install()
	other.settings = append(other.settings, "RECKON_KAFKA_TOPICS_LIFECYCLE="+i.name+".lifecycle",
		"RECKON_KAFKA_TOPICS_USAGE="+i.name+".usage", "RECKON_KAFKA_TOPICS_DEAD_LETTER="+i.name+".deadletter")
	return other
}

// sealedRows are what was issued, but for the instant of noting.
func (i *installation) sealedRows(t testing.TB) string {
	t.Helper()
	return i.ask(t, "SELECT * EXCEPT created_at FROM {db}.usage_report FORMAT TSV") +
		i.ask(t, "SELECT * EXCEPT (created_at, hash) FROM {db}.invoices FINAL ORDER BY ALL FORMAT TSV") +
		i.ask(t, "SELECT number, month, cutoff FROM {db}.runs FINAL ORDER BY ALL FORMAT TSV") +
		i.ask(t, "SELECT DISTINCT run, month FROM {db}.seals ORDER BY ALL FORMAT TSV")
}

// F1, F2, H6: seals that are killed, and seals that run at once, end like one
// that ran alone.
func testSealsDisturbed(t *testing.T, s *servers) {
	settings := []string{"RECKON_BILLING_FIRST_MONTH=2024-10"}
	alone := s.install(settings...)
	alone.must(t, "migrate")
	alone.produce(t, madeUpMonth(t)...)
	stored := func(i *installation) *installation {
		i.settings = append(i.settings, settings...)
		i.must(t, "migrate")
		stop := i.start(t, "ingest")
		i.must(t, "invoice", "--month", "2024-10", "--dry-run") // waits until all is stored
		stop()
		return i
	}
	stored(alone).must(t, "invoice", "--month", "2024-10")
	want := alone.sealedRows(t)
	alone.issuedOnce(t)

	killed := 0
	for _, moment := range []string{"runs", "periods", "invoice_lines", "edges", "invoices"} {
		t.Run("killed once there are "+moment, func(t *testing.T) {
			i := stored(alone.beside())
			if i.killWhile(t, moment) {
				killed++
			}
			i.must(t, "invoice", "--month", "2024-10")
			sameText(t, i.sealedRows(t), want)
			i.issuedOnce(t)
		})
	}
	if killed == 0 {
		t.Error("every seal had ended before it was killed: this shows nothing")
	}
	t.Run("two processes and two in one at once", func(t *testing.T) {
		i := stored(alone.beside())
		var all sync.WaitGroup
		for n := range 4 {
			all.Go(func() {
				var got outcome
				if n < 2 {
					got = i.run(t, "invoice", "--month", "2024-10")
				} else {
					got = runProgram(t, i.settings, "invoice", "--month", "2024-10")
				}
				if got.code != 0 {
					t.Errorf("seal %d ended with %d:\n%s", n, got.code, got.stderr)
				}
			})
		}
		all.Wait()
		sameText(t, i.sealedRows(t), want)
		i.issuedOnce(t)
	})
}

// killWhile starts a seal as a process and kills it once a table has rows. It
// tells whether the seal was under way.
func (i *installation) killWhile(t *testing.T, table string) bool {
	t.Helper()
	p := testkit.Start(t, program(i.settings, "invoice", "--month", "2024-10"))
	empty := func() bool { return i.ask(t, "SELECT count() FROM {db}."+table) == "0\n" }
	for empty() {
		if !p.Running() {
			if p.ExitCode() != 0 || empty() {
				t.Fatalf("the seal ended by itself with %d: %s", p.ExitCode(), &p.Log)
			}
			return false
		}
	}
	p.Kill()
	left := i.ask(t, "SELECT (SELECT count() FROM {db}.runs), (SELECT count() FROM {db}.invoice_lines), "+
		"(SELECT count() FROM {db}.invoices), (SELECT count() FROM {db}.seals)")
	t.Logf("ended with %d; left runs, lines, headers, seals: %s", p.ExitCode(), strings.TrimSpace(left))
	return strings.HasSuffix(left, "\t0\n")
}
