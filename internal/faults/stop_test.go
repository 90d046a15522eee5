package faults

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// stopWithin is what every command promises.
const stopWithin = 5 * time.Second

// How commands end that are told to: those that run until they are stopped, others, and
// others that failed before.
const (
	served, interrupted = 0, 130
	failed              = 1
)

// stops tells the program to end, as in this state, and wants it gone in time
// with everything that it started and every scratch folder, with one of the codes.
func stops(t *testing.T, p *testkit.Process, scratch string, codes ...int) time.Duration {
	t.Helper()
	started := testkit.Descendants(t, p.PID())
	took := p.Terminate(t)
	code := p.ExitCode()
	if !slices.Contains(codes, code) {
		t.Errorf("%s ended with %d, want one of %v: %s", p, code, codes, strings.TrimSpace(p.Log.String()))
	}
	if took > stopWithin {
		t.Errorf("%s took %.1f s to end", p, took.Seconds())
	}
	for _, pid := range started {
		if testkit.Alive(pid) {
			t.Errorf("%s left process %d behind", p, pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	left, err := filepath.Glob(filepath.Join(scratch, "reckon-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%s left %v behind, %v", p, left, err)
	}
	return took
}

// TestEveryCommandOnServersStopsInTime stops each in each state of the servers.
func TestEveryCommandOnServersStopsInTime(t *testing.T) {
	type state struct {
		name       string
		make, mend func(w *world)
	}
	nothing := func(*world) {}
	states := []state{
		{"idle", nothing, nothing},
		{"under load", func(w *world) { w.sendUsage(100_000) }, nothing},
		{"while ClickHouse hangs", func(w *world) { w.proxy.freeze(); w.sendUsage(100_000) }, func(w *world) { w.proxy.thaw() }},
		{"while ClickHouse is dead", func(w *world) { w.proxy.close(); w.sendUsage(20_000) }, func(w *world) { w.proxy.reopen() }},
		{"while the broker hangs", func(w *world) { w.sendUsage(20_000); w.broker.Freeze(t) }, func(w *world) { w.broker.Thaw(t) }},
		{"while the broker is dead", func(w *world) { w.sendUsage(20_000); w.broker.Kill(t) }, func(w *world) { w.broker.Start(t); w.broker.WaitReady(t) }},
	}
	w := newWorld(t)
	var longest time.Duration
	stopped := 0
	for _, command := range []string{"ingest", "invoicer", "up", "invoice"} {
		for _, s := range states {
			t.Run(command+" "+s.name, func(t *testing.T) {
				args := []string{command}
				if command == "invoice" {
					w.sendUsage(1000) // nobody ingests: it waits
					args = append(args, "--month", month)
				}
				// Nothing is due, so that up and invoicer do not seal.
				p := start(t, w.env("BILLING_GRACE=100000h"), args...)
				if command == "invoice" {
					p.Kill()
					p = start(t, w.env(), args...)
				}
				testkit.Eventually(t, time.Minute, "it is at work", func() bool { return w.proxy.reads.Load() > 0 && p.Running() })
				time.Sleep(700 * time.Millisecond) // it joins the group, or notes the ends
				s.make(w)
				time.Sleep(300 * time.Millisecond) // it runs into the state
				codes := []int{served}
				if command == "invoice" {
					codes = []int{interrupted}
					if s.name == "while ClickHouse is dead" {
						codes = append(codes, failed)
					}
				}
				took := stops(t, p, w.dir, codes...)
				longest = max(longest, took)
				stopped++
				s.mend(w)
				w.evict()
			})
		}
	}
	if !t.Failed() {
		figure(t, "%d times stopped, %d states of 4 commands on servers: gone within %.1f s, nothing left", stopped, len(states), longest.Seconds())
	}
}

// TestACommandThatReadsStopsInTime: one that only asks ClickHouse, which hangs.
func TestACommandThatReadsStopsInTime(t *testing.T) {
	w := sealWorld(t, 1000)
	w.seal()
	code := w.report()[0][1]
	w.proxy.freeze()
	var longest time.Duration
	commands := [][]string{
		{"report", "usage", "--month", month},
		{"verify", "--month", month},
		{"explain", code},
		{"anomalies"},
		{"conflicts"},
		{"deadletter", "list"},
		{"migrate"},
		{"invoice", "--month", month, "--dry-run"},
	}
	for _, command := range commands {
		p := start(t, w.env(), command...)
		time.Sleep(500 * time.Millisecond)
		longest = max(longest, stops(t, p, w.dir, interrupted))
	}
	if !t.Failed() {
		figure(t, "%d commands that read stopped while ClickHouse hangs: gone within %.1f s", len(commands), longest.Seconds())
	}
}

// TestASealStopsInTime: told to stop amid a seal, the seal is given up, and made
// whole by the next one.
func TestASealStopsInTime(t *testing.T) {
	w := sealWorld(t, 20_000)
	all, _ := w.sealUntil(0, 0)
	want := w.sealed()
	var longest time.Duration
	times, stopped := size(6, 20), 0
	for i := 0; stopped < times; i++ {
		if i > 3*times {
			t.Fatalf("only %d of %d seals came to their points", stopped, i)
		}
		w.unseal()
		hang := i%2 == 0
		begin, point := w.proxy.reads.Load(), 1+int64(i)*all/int64(times)%all
		reached := make(chan struct{}, 1)
		w.proxy.watch(func() {
			if w.proxy.reads.Load()-begin == point {
				if hang {
					w.proxy.freeze()
				}
				reached <- struct{}{}
			}
		})
		command, code := []string{"invoice", "--month", month}, interrupted
		if i%3 == 2 {
			command, code = []string{"invoicer"}, served
		}
		p := start(t, w.env("BILLING_FIRST_MONTH="+month), command...)
		testkit.Eventually(t, time.Minute, "the seal comes to its point or ends", func() bool { return len(reached) > 0 || !p.Running() })
		switch {
		case p.Running():
			stopped++
			longest = max(longest, stops(t, p, w.dir, code))
		case len(reached) == 0: // how often it speaks to ClickHouse varies by a little
			all = min(all, w.proxy.reads.Load()-begin)
		}
		w.proxy.watch(nil)
		w.proxy.thaw()
		w.unseal() // invoicer would have gone on to the months after
		w.seal()
		if d := testkit.Difference(w.sealed(), want); d != "" || t.Failed() {
			t.Fatalf("stopped at point %d, the seal differs in %s", point, d)
		}
	}
	figure(t, "a seal stopped at %d points, half of them with ClickHouse hanging: gone within %.1f s, the next run issues the same", times, longest.Seconds())
}

// TestEveryCommandOnTheEmbeddedStackStopsInTime: its engine is asked, then
// killed, and no scratch folder stays.
func TestEveryCommandOnTheEmbeddedStackStopsInTime(t *testing.T) {
	dir := t.TempDir()
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "RECKON_DATA_DIR=" + filepath.Join(dir, "data"),
		"RECKON_ENGINE_DIR=" + embedded.DefaultEngineDir(os.Getenv), "RECKON_LISTEN=127.0.0.1:0", "RECKON_BILLING_GRACE=100000h",
	}
	scenario := filepath.Join(dir, "scenario.jsonl")
	text := mustRun(t, env, "generate", "--month", month, "--resources", "1000", "--usage", "100000")
	if err := os.WriteFile(scenario, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	signal := func(s syscall.Signal) func(*testing.T, *testkit.Process, string) {
		return func(t *testing.T, p *testkit.Process, _ string) {
			if err := syscall.Kill(engineOf(t, p.PID(), ""), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	states := map[string]func(t *testing.T, p *testkit.Process, data string){
		"at work":                  func(*testing.T, *testkit.Process, string) {},
		"while its engine hangs":   signal(syscall.SIGSTOP),
		"while its engine is dead": signal(syscall.SIGKILL),
		"amid a seal":              awaitRun,
	}
	var longest time.Duration
	stopped := 0
	for name, command := range map[string]struct {
		args []string
		data string // the folder of the stack
		code int
	}{
		"up":     {[]string{"up"}, filepath.Join(dir, "data"), served},
		"demo":   {[]string{"demo", "--data-dir", filepath.Join(dir, "demo"), "--resources", "1000", "--usage", "100000"}, filepath.Join(dir, "demo"), interrupted},
		"replay": {[]string{"replay", scenario}, filepath.Join(dir, "reckon-scratch-*"), interrupted},
	} {
		for state, make := range states {
			if name == "up" && state == "amid a seal" {
				continue // nothing is due; TestASealStopsInTime has it
			}
			t.Run(name+" "+state, func(t *testing.T) {
				p := start(t, env, command.args...)
				testkit.Eventually(t, time.Minute, "its stack runs", func() bool { return len(glob(t, filepath.Join(command.data, "endpoints.json"))) == 1 })
				time.Sleep(500 * time.Millisecond)
				make(t, p, command.data)
				codes := []int{command.code}
				if state == "while its engine is dead" && command.code != served {
					codes = append(codes, failed)
				}
				longest = max(longest, stops(t, p, dir, codes...))
				stopped++
			})
		}
	}
	if !t.Failed() {
		figure(t, "up, demo and replay stopped %d times, their engine at work, hanging, dead or amid a seal: gone within %.1f s, no process and no scratch folder left",
			stopped, longest.Seconds())
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// awaitRun waits until the stack on the folder has a sealing run written down.
func awaitRun(t *testing.T, p *testkit.Process, data string) {
	t.Helper()
	text, err := os.ReadFile(glob(t, filepath.Join(data, "endpoints.json"))[0])
	if err != nil {
		t.Fatal(err)
	}
	var e embedded.Endpoints
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	store, err := driver.Open(&driver.Options{Addr: []string{e.Native}, Auth: driver.Auth{Username: e.User, Password: e.Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	testkit.Eventually(t, time.Minute, "a run is written down", func() bool {
		if !p.Running() {
			t.Fatalf("%s ended by itself: %s", p, strings.TrimSpace(p.Log.String()))
		}
		var n uint64
		return store.QueryRow(t.Context(), "SELECT count() FROM reckon.runs").Scan(&n) == nil && n > 0
	})
}
