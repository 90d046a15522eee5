package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// T4: /readyz is false while the engine hangs, while it is gone, and until it answers
// again.
func TestReadinessIsTrueToTheEngine(t *testing.T) {
	dir := t.TempDir()
	o := options(t, filepath.Join(dir, "data"))
	// The engine's library lies behind a link, which can be taken away.
	library := filepath.Join(dir, "engine")
	if err := os.Symlink(o.Config.EngineDir, library); err != nil {
		t.Fatal(err)
	}
	o.Config.EngineDir = library
	l := running(t, Up, o)
	waitReady(t, l.Metrics)

	engine := theEngine(t)
	if err := syscall.Kill(engine, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(engine, syscall.SIGCONT) })
	began := time.Now()
	awaitCheck(t, l.Metrics, "clickhouse", false)
	if took := time.Since(began); took > pingEvery+pingWithin+5*time.Second {
		t.Errorf("that the engine hangs was noticed after %s", took)
	}
	if err := syscall.Kill(engine, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	awaitCheck(t, l.Metrics, "clickhouse", true)

	if err := os.Remove(library); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(engine, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitCheck(t, l.Metrics, "embedded", false)
	if s := status(t, l.Metrics); s.Ready || !strings.Contains(checkOf(t, s, "embedded").Reason, "clickhouse") {
		t.Errorf("without an engine: %+v", s)
	}
	awaitCheck(t, l.Metrics, "clickhouse", false)
	for until := time.Now().Add(2 * pingEvery); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		if s := status(t, l.Metrics); s.Ready {
			t.Fatalf("ready without an engine: %+v", s)
		}
	}
	engines, err := filepath.EvalSymlinks(options(t, dir).Config.EngineDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(engines, library); err != nil {
		t.Fatal(err)
	}
	waitReady(t, l.Metrics)
}

// T4: what is ready is what all partitions have done.
func TestIngestIsReadyWhenEveryPartitionHasGotOn(t *testing.T) {
	ready := 0
	p := progress{ready: func() { ready++ }}
	p.begin(2)
	p.gotOn()
	if ready != 0 {
		t.Error("ready after one of two")
	}
	p.begin(1) // the group was shared out anew
	p.gotOn()
	if ready != 1 {
		t.Errorf("told %d times after one of one", ready)
	}
	if p.begin(0); ready != 2 {
		t.Error("a member that is given nothing is not ready")
	}
	nobody := progress{}
	nobody.begin(0)
}

// T4: asked for and not answered, a check says why until it is.
func TestAWatchSaysWhatItWasAnswered(t *testing.T) {
	now := time.Unix(0, 0)
	health := telemetry.NewHealth(func() time.Time { return now })
	ctx, stop := context.WithCancel(t.Context())
	answers := []error{errors.New("refused"), nil, errors.New("timeout")}
	var seen []string
	w := watch{health.CheckWithin("clickhouse", storeAge), time.Nanosecond, 0, func(context.Context) error {
		s := health.Status().Checks[0]
		seen = append(seen, s.Reason)
		if len(seen) > len(answers) {
			stop()
			return nil
		}
		return answers[len(seen)-1]
	}}
	w.run(ctx, func() time.Time { return now })
	if got := strings.Join(seen, ","); got != "starting,refused,,timeout" {
		t.Errorf("said %s", got)
	}
}

// running runs a role for the time of a test, and tells where it listens.
func running(t *testing.T, name Role, o Options) Listening {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	listens, ended := make(chan Listening, 1), make(chan error, 1)
	go func() { ended <- Run(ctx, name, o, func(l Listening) { listens <- l }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("told to stop it ended with %v", err)
		}
	})
	select {
	case l := <-listens:
		return l
	case err := <-ended:
		ended <- err
		t.Fatalf("ended with %v", err)
	}
	return Listening{}
}

// theEngine is the process of the only engine that this one has started.
func theEngine(t *testing.T) int {
	t.Helper()
	engines := testkit.Descendants(t, os.Getpid())
	if len(engines) != 1 {
		t.Fatalf("engines %v", engines)
	}
	return engines[0]
}

// status is what /readyz answers.
func status(t *testing.T, address string) (s telemetry.Status) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	err = json.NewDecoder(response.Body).Decode(&s)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return s
}

func checkOf(t *testing.T, s telemetry.Status, name string) telemetry.CheckStatus {
	t.Helper()
	for _, c := range s.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%+v has no check %s", s, name)
	return telemetry.CheckStatus{}
}

// awaitCheck waits until a check says so.
func awaitCheck(t *testing.T, address, name string, ready bool) {
	t.Helper()
	testkit.Eventually(t, time.Minute, "the check "+name+" says what is so", func() bool {
		return checkOf(t, status(t, address), name).Ready == ready
	})
}
