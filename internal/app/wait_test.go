package app

import (
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
)

// T1: a seal of an invoicer beside which nobody ingests: log, /readyz and the metric
// say which partition it waits for, and when it is over.
func TestAnInvoicerThatWaitsSaysForWhichPartition(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	var log testkit.Output
	o := options(t, folder)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	// Nothing is due before the event is in the log.
	month := schemas.MonthOf(time.Now(), o.Config.Billing.Location).Prev()
	o.Config.Billing.FirstMonth, o.Config.Billing.Grace = month.String(), 0
	sendUsage(t, o, month)
	l := running(t, Invoicer, o)
	testkit.Eventually(t, time.Minute, "it is not ready, and says why", func() bool {
		return strings.Contains(checkOf(t, status(t, l.Metrics), "invoicer").Reason, "a seal waits for ingest to store billing.usage/")
	})
	log.Await(t, `seal waits for ingest.*billing\.usage/[0-7] \(stored to 0 of 1\)`)
	waits := regexp.MustCompile(`reckon_invoicer_waiting_messages\{partition="[0-7]",topic="billing.usage"\} 1\n`)
	if text := metrics(t, l.Metrics); !waits.MatchString(text) {
		t.Errorf("the metric does not say so:\n%s", text)
	}
	o.Log = testkit.Warnings(t)
	running(t, Ingest, o) // on the invoicer's engines
	log.Await(t, "seal goes on")
	waitReady(t, l.Metrics)
	if text := metrics(t, l.Metrics); strings.Contains(text, "reckon_invoicer_waiting_messages{") {
		t.Errorf("the metric still says that a seal waits:\n%s", text)
	}
}

// sendUsage stores an event of the month in the log of a folder, and leaves it there.
func sendUsage(t *testing.T, o Options, month schemas.Month) {
	t.Helper()
	a, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	send(t, a, usageAt(1, month.Start(o.Config.Billing.Location)))
}

// metrics is what /metrics says.
func metrics(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// T1: the log says it at once, then once a minute as long as it lasts.
func TestAWaitIsLoggedAtOnceAndEveryMinute(t *testing.T) {
	now := time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC)
	var log testkit.Output
	health := telemetry.NewHealth(func() time.Time { return now })
	check := health.Check("invoicer")
	w := sealWait{log: slog.New(slog.NewTextHandler(&log, nil)), check: check, now: func() time.Time { return now }}
	lags := []Lag{{Topic: "billing.usage", Partition: 3, Stored: 5, Noted: 9}}
	for second := range 150 {
		if second == 100 {
			lags = append(lags[:0], make([]Lag, 12)...) // more than are named
		}
		w.tell(lags)
		if health.Status().Ready {
			t.Fatal("ready while a seal waits")
		}
		now = now.Add(time.Second)
	}
	w.tell(nil)
	if !health.Status().Ready {
		t.Error("not ready though the wait is over")
	}
	w.tell(lags) // another one
	var got []string
	for line := range strings.Lines(log.String()) {
		_, text, _ := strings.Cut(line, " level=")
		got = append(got, strings.TrimSpace(text))
	}
	twelve := strings.Repeat("/0 (stored to 0 of 0), ", 10) + "and 2 more"
	want := []string{
		`INFO msg="seal waits for ingest" lagging="billing.usage/3 (stored to 5 of 9)" waited=0s`,
		`WARN msg="seal waits for ingest" lagging="billing.usage/3 (stored to 5 of 9)" waited=1m0s`,
		`WARN msg="seal waits for ingest" lagging="` + twelve + `" waited=2m0s`,
		`INFO msg="seal goes on" waited=2m30s`,
		`INFO msg="seal waits for ingest" lagging="` + twelve + `" waited=0s`,
	}
	if d := testkit.Difference(strings.Join(got, "\n"), strings.Join(want, "\n")); d != "" {
		t.Error(d)
	}
}
