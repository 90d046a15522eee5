package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Run(m)) }

// options are those of a process on an embedded stack in the folder.
func options(t *testing.T, folder string) Options {
	t.Helper()
	environ := []string{"RECKON_DATA_DIR=" + folder, "RECKON_LISTEN=127.0.0.1:0", "RECKON_BILLING_SCHEDULE=@every 1s"}
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "RECKON_ENGINE_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			environ = append(environ, name+"="+value)
		}
	}
	cfg, err := config.Load("", environ)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Config: cfg, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now}
}

// Every role runs whole in this process: its stages become ready, others find
// its stack, and it ends when told to.
func TestEveryRoleStartsAndStopsInProcess(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	for name, checks := range map[Role][]string{
		Up:     {"ingest", "dead_letters", "invoicer", "survey", "clickhouse", "counts", "embedded"},
		Ingest: {"ingest", "dead_letters", "clickhouse", "counts", "embedded"}, Invoicer: {"invoicer", "survey", "clickhouse", "counts", "embedded"},
	} {
		t.Run(string(name), func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			listens, ended := make(chan Listening, 1), make(chan error, 1)
			var log testkit.Output
			o := options(t, folder)
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
			go func() { ended <- Run(ctx, name, o, func(l Listening) { listens <- l }) }()
			select {
			case l := <-listens:
				if got := waitReady(t, l.Metrics); !slices.Equal(got, checks) {
					t.Errorf("checks %v, want %v", got, checks)
				}
				findsTheStack(t, folder, l)
			case err := <-ended:
				t.Fatalf("ended with %v", err)
			}
			stop()
			if err := <-ended; err != nil {
				t.Errorf("told to stop it ended with %v", err)
			}
			// One line when it starts, with what it works on, and one when it has stopped.
			said := strings.Split(strings.TrimSpace(log.String()), "\n")
			said = slices.DeleteFunc(said, func(line string) bool { return strings.Contains(line, "is taken") }) // its usual ports
			if first, last := said[0], said[len(said)-1]; len(said) != 2 ||
				!strings.Contains(first, "msg=started role="+string(name)+" kafka=127.0.0.1:") || !strings.Contains(last, "msg=stopped role="+string(name)) {
				t.Errorf("it said\n%s", log.String())
			}
		})
	}
	if err := Run(t.Context(), "janitor", options(t, folder), nil); err == nil || !strings.Contains(err.Error(), `"janitor"`) {
		t.Errorf("a role that there is not: %v", err)
	}
}

// waitReady waits until /readyz says so, and tells what it checks.
func waitReady(t *testing.T, address string) (names []string) {
	t.Helper()
	testkit.Eventually(t, time.Minute, "it is ready", func() bool {
		s := status(t, address)
		names = nil
		for _, c := range s.Checks {
			names = append(names, c.Name)
		}
		return s.Ready
	})
	return names
}

func findsTheStack(t *testing.T, folder string, l Listening) {
	t.Helper()
	a, err := Connect(t.Context(), options(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	if a.Started() || a.Endpoints().Kafka != l.Kafka[0] || a.Endpoints().HTTP != l.HTTP {
		t.Errorf("started %t, at %+v; must be at %+v", a.Started(), a.Endpoints(), l)
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatWasStartedIsUndoneBackwardsOnceAndWhole(t *testing.T) {
	var c cleanups
	var order []string
	broke := errors.New("broke")
	c.add("stack", func() error { order = append(order, "stack"); return nil })
	c.add("store", func() error { order = append(order, "store"); return broke })
	c.add("producer", func() error { order = append(order, "producer"); return broke })
	err := c.run()
	if !slices.Equal(order, []string{"producer", "store", "stack"}) {
		t.Errorf("undone in the order %v", order)
	}
	if !errors.Is(err, broke) || !strings.Contains(err.Error(), "producer") || !strings.Contains(err.Error(), "store") {
		t.Errorf("ended with %v", err)
	}
	if err := c.run(); err != nil || len(order) != 3 {
		t.Errorf("once more: %v, %v", err, order)
	}
}

// Nothing that was started is left behind when connecting fails: the folder can be
// had again at once.
func TestConnectingThatFailsLeavesNothingBehind(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	broken := options(t, folder)
	broken.Config.ClickHouse.Database = "default" // which is refused
	if _, err := Connect(t.Context(), broken); !errors.As(err, new(config.UsageError)) {
		t.Fatalf("got %v", err)
	}
	a, err := Connect(t.Context(), options(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	if !a.Started() {
		t.Error("the stack of before still runs")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// A permanent error is logged once, not at each retry: an account that stays parked,
// too, which is tried again at every look.
func TestAParkedAccountIsLoggedOnce(t *testing.T) {
	var log testkit.Output
	p := process{App: &App{Options: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}}}
	month := schemas.Month{Year: 2026, Month: time.October}
	whole, parked := Seal{Run: 1, Month: month}, Seal{Run: 2, Month: month.Next(), Parked: []invoicer.Parked{{AccountID: "beta", Reason: "a bad price"}}}
	for range 3 {
		for _, s := range []Seal{whole, parked} {
			p.tellSeal(&s)
		}
	}
	parked.Parked[0].Reason = "a worse price"
	p.tellSeal(&parked)
	parked.Parked = nil
	p.tellSeal(&parked)
	var got []string
	for line := range strings.Lines(log.String()) {
		_, text, _ := strings.Cut(line, " level=")
		got = append(got, strings.TrimSpace(text))
	}
	sealed := func(period string, run, parked int) string {
		return fmt.Sprintf(`INFO msg=sealed period=%s run=%d invoices=0 adjustments=0 parked=%d`, period, run, parked)
	}
	failed := func(why string) string {
		return `ERROR msg="accounts are parked" period=2026-11 run=2 err="2026-11 of account \"beta\" is parked: ` + why + ` (mend it and run reckon invoice again)"`
	}
	want := []string{
		sealed("2026-10", 1, 0), sealed("2026-11", 2, 1), failed("a bad price"), sealed("2026-11", 2, 1), failed("a worse price"), sealed("2026-11", 2, 0),
	}
	if d := testkit.Difference(strings.Join(got, "\n"), strings.Join(want, "\n")); d != "" {
		t.Error(d)
	}
}
