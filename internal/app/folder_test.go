package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// O2: what serves waits for a command that has the folder for a while, and then has
// it for itself; engines that end with somebody else are nobody's.
func TestUpWaitsForACommandThatHoldsTheFolderAndThenOwnsIt(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	o := options(t, folder)
	o.Command = "verify"
	short, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log testkit.Output
	o = options(t, folder)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	listens, ended := make(chan Listening, 1), make(chan error, 1)
	go func() { ended <- Run(ctx, Up, o, func(l Listening) { listens <- l }) }()
	log.Await(t, fmt.Sprintf(`waiting.*reckon verify \(pid %d\)`, os.Getpid()))
	if len(listens) > 0 {
		t.Error("it runs on the engines of a command that will end")
	}
	if err := short.Close(); err != nil {
		t.Error(err)
	}
	var l Listening
	select {
	case l = <-listens:
	case err := <-ended:
		t.Fatalf("ended with %v", err)
	}
	waitReady(t, l.Metrics)
	if n := strings.Count(log.String(), "waiting"); n != 1 {
		t.Errorf("it said %d times that it waits", n)
	}
	findsTheStack(t, folder, l)
	// One that serves is refused by another, whose number it tells.
	err = Run(t.Context(), Up, options(t, folder), nil)
	if want := fmt.Sprintf("reckon up (pid %d)", os.Getpid()); !errors.Is(err, embedded.ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Errorf("a second up ended with %v; want %s", err, want)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// O2: commands wait for one another too, and are told for whom.
func TestACommandWaitsForAnotherThatHoldsTheFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	o := options(t, folder)
	o.Command = "report usage"
	first, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	told, connected := make(chan embedded.Holder, 1), make(chan *App, 1)
	o.Command, o.Waiting = "verify", func(h embedded.Holder) { told <- h }
	go func() {
		second, err := Connect(t.Context(), o)
		if err != nil {
			t.Error(err)
		}
		connected <- second
	}()
	select {
	case h := <-told:
		if h != (embedded.Holder{Command: "report usage", PID: os.Getpid()}) {
			t.Errorf("it waits for %+v", h)
		}
	case second := <-connected:
		t.Fatalf("it does not wait: started %t", second.Started())
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	second := <-connected
	if second == nil {
		t.FailNow()
	}
	if !second.Started() {
		t.Error("it uses engines that it has not started")
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// O2: told to stop while it waits, it stops.
func TestWaitingForTheFolderEndsWhenToldTo(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	first, err := Connect(t.Context(), options(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	o := options(t, folder)
	o.Waiting = func(embedded.Holder) { stop() }
	if _, err := Connect(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
}

// O8: a server that the settings name has no embedded one beside it.
func TestWhatTheSettingsNameAServerForIsNotEmbedded(t *testing.T) {
	servers := embeddedtest.Start(t).Endpoints()
	t.Run("kafka", func(t *testing.T) {
		o := options(t, filepath.Join(t.TempDir(), "data"))
		o.Config.Kafka.Brokers = []string{servers.Kafka}
		a := connected(t, o)
		if a.Endpoints().Kafka != "" || a.Endpoints().Native == "" {
			t.Errorf("embedded is %+v", a.Endpoints())
		}
		if err := a.Prepare(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(o.Config.DataDir, "kafka")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a log lies in the data folder: %v", err)
		}
		refusedBeside(t, o, "kafka.brokers")
	})
	t.Run("clickhouse", func(t *testing.T) {
		o := options(t, filepath.Join(t.TempDir(), "data"))
		c := &o.Config.ClickHouse
		c.Addresses, c.Username, c.Password = []string{servers.Native}, servers.User, config.Secret(servers.Password)
		o.Config.EngineDir = t.TempDir() // where there is no engine
		a := connected(t, o)
		if a.Endpoints().Kafka == "" || a.Endpoints().Native != "" {
			t.Errorf("embedded is %+v", a.Endpoints())
		}
		if err := a.Prepare(t.Context()); err != nil {
			t.Error(err)
		}
		if engines := testkit.Descendants(t, os.Getpid()); len(engines) != 1 {
			t.Errorf("engines %v run; one does, which stands for the server", engines)
		}
		refusedBeside(t, o, "clickhouse.addresses")
	})
}

// connected is what the options come to, for the time of a test, as a process that
// serves.
func connected(t *testing.T, o Options) *App {
	t.Helper()
	o.Command, o.Serves = "up", true
	a, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// refusedBeside: a command without the setting finds nothing to use there.
func refusedBeside(t *testing.T, o Options, setting string) {
	t.Helper()
	plain := options(t, o.Config.DataDir)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := Connect(ctx, plain); err == nil || !strings.Contains(err.Error(), setting) {
		t.Errorf("without the setting: %v; want %s named", err, setting)
	}
}
