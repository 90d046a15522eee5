package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

func TestAStartedStackAnswers(t *testing.T) {
	const memory, marks = 3 << 30, 100 << 20
	dir := t.TempDir()
	began := time.Now()
	stack := embeddedtest.StartWith(t, embedded.Options{DataDir: dir, MemoryBytes: memory, MarkCacheBytes: marks})
	t.Logf("started in %s", time.Since(began))
	e := stack.Endpoints()

	if err := stack.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
	mustAsk(t, e, "CREATE DATABASE reckon")
	mustAsk(t, e, "CREATE TABLE reckon.t (a UInt64) ENGINE = MergeTree ORDER BY a")
	mustAsk(t, e, "INSERT INTO reckon.t SELECT number FROM numbers(1000)")
	for query, want := range map[string]string{
		"SELECT count() FROM reckon.t": "1000",
		"SELECT currentUser()":         embedded.User,
		"SELECT timezone()":            "UTC",
		"SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'": strconv.Itoa(memory),
		"SELECT value FROM system.server_settings WHERE name = 'mark_cache_size'":         strconv.Itoa(marks),
	} {
		if got := mustAsk(t, e, query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for name, addr := range map[string]string{"kafka": e.Kafka, "native": e.Native, "http": e.HTTP} {
		if host, _, err := net.SplitHostPort(addr); err != nil || host != "127.0.0.1" {
			t.Errorf("%s listens on %s, want loopback", name, addr)
		}
	}
	t.Logf("engine: %s", memoryOf(t, engineOf(t, os.Getpid())))
}

func memoryOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") || strings.HasPrefix(line, "Rss") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(lines, ", ")
}

func TestNobodyGetsInWithoutThePassword(t *testing.T) {
	e := embeddedtest.Start(t).Endpoints()
	if err := embedded.PingNative(t.Context(), e.Native, e.User, e.Password); err != nil {
		t.Errorf("our user is refused over the native protocol: %v", err)
	}
	for name, as := range map[string]embedded.Endpoints{
		"the engine's own password-less user": {HTTP: e.HTTP, User: "default"},
		"nobody":                              {HTTP: e.HTTP},
		"our user without a password":         {HTTP: e.HTTP, User: embedded.User},
		"our user with another password":      {HTTP: e.HTTP, User: embedded.User, Password: "secret"},
	} {
		if err := embedded.PingNative(t.Context(), e.Native, as.User, as.Password); err == nil {
			t.Errorf("%s gets in over the native protocol", name)
		}
		for _, query := range []string{
			"SELECT 1", "SYSTEM STOP LISTEN TCP", "SELECT * FROM file('/etc/hostname', LineAsString)",
			"SELECT 1 SETTINGS max_sessions_for_user = 0",
		} {
			if answer, err := ask(t.Context(), as, query); err == nil {
				t.Errorf("%s may ask %s: %q", name, query, answer)
			}
		}
	}
}

func TestARunningStackIsFoundAndItsFolderRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := embedded.ReadEndpoints(dir); !errors.Is(err, embedded.ErrNotRunning) {
		t.Errorf("endpoints before a start: %v", err)
	}
	stack := embeddedtest.StartWith(t, embedded.Options{DataDir: dir})

	found, err := embedded.ReadEndpoints(dir)
	if err != nil || found != stack.Endpoints() || found.PID != os.Getpid() {
		t.Errorf("endpoints: %+v, %v; want %+v", found, err, stack.Endpoints())
	}
	for _, name := range []string{"endpoints.json", "clickhouse.password"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", name, info.Mode())
		}
	}
	_, err = embedded.Start(t.Context(), embedded.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, embedded.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second start: %v; want ErrLocked and the folder's name", err)
	}
	mustAsk(t, found, "SELECT 1") // the refused one did no harm

	if err := stack.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.ReadEndpoints(dir); !errors.Is(err, embedded.ErrNotRunning) {
		t.Errorf("endpoints after close: %v", err)
	}
	if stack.Health() == nil {
		t.Error("a closed stack says it is healthy")
	}
}

func TestAStackStartedAgainGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	first := embeddedtest.StartWith(t, embedded.Options{DataDir: dir})
	mustAsk(t, first.Endpoints(), "CREATE DATABASE reckon")
	mustAsk(t, first.Endpoints(), "CREATE TABLE reckon.t (a UInt64) ENGINE = MergeTree ORDER BY a")
	mustAsk(t, first.Endpoints(), "INSERT INTO reckon.t VALUES (7)")
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	second := embeddedtest.StartWith(t, embedded.Options{
		DataDir: dir, Ports: portsOf(t, first.Endpoints()), PortsFixed: true,
	})
	t.Logf("started again in %s", time.Since(began))
	if first.Endpoints() != second.Endpoints() {
		t.Errorf("it was at %+v, is at %+v", first.Endpoints(), second.Endpoints())
	}
	if got := mustAsk(t, second.Endpoints(), "SELECT a FROM reckon.t"); got != "7" {
		t.Errorf("kept %s, want 7", got)
	}
}

func portsOf(t *testing.T, e embedded.Endpoints) embedded.Ports {
	t.Helper()
	number := func(addr string) int {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return embedded.Ports{Kafka: number(e.Kafka), Native: number(e.Native), HTTP: number(e.HTTP)}
}

func TestATakenPortIsReplacedUnlessItIsFixed(t *testing.T) {
	stranger, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stranger.Close(); err != nil {
			t.Error(err)
		}
	})
	taken := stranger.Addr().(*net.TCPAddr).Port
	for name, ports := range map[string]embedded.Ports{
		"kafka": {Kafka: taken}, "native": {Native: taken}, "http": {HTTP: taken},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			o := embedded.Options{
				DataDir: t.TempDir(), Ports: ports, PortsFixed: true, Log: slog.New(slog.NewTextHandler(&log, nil)),
			}
			if stack, err := embedded.Start(t.Context(), o); err == nil {
				t.Error("started on a fixed port that a stranger has", stack.Close(t.Context()))
			} else if !strings.Contains(err.Error(), strconv.Itoa(taken)) {
				t.Errorf("the error does not name port %d: %v", taken, err)
			}
			o.PortsFixed = false
			stack := embeddedtest.StartWith(t, o)
			mustAsk(t, stack.Endpoints(), "SELECT 1")
			if got := portsOf(t, stack.Endpoints()); got.Kafka == taken || got.Native == taken || got.HTTP == taken {
				t.Errorf("it says it listens on a stranger's port: %+v", got)
			}
			if !strings.Contains(log.String(), "taken") {
				t.Errorf("the log does not tell: %s", log.String())
			}
		})
	}
}

func TestAMissingLibraryIsOneSentenceThatSaysWhatToDo(t *testing.T) {
	empty := t.TempDir()
	_, err := embedded.Start(t.Context(), embedded.Options{
		DataDir: t.TempDir(), EngineDir: empty, Log: slog.New(slog.DiscardHandler),
	})
	if !errors.Is(err, embedded.ErrNoLibrary) {
		t.Fatalf("start: %v, want ErrNoLibrary", err)
	}
	for _, part := range []string{"make engine", "RECKON_ENGINE_DIR", empty} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than a sentence", err)
	}
}

func TestALibraryThatIsNoneFailsTheStartWithItsReason(t *testing.T) {
	dir, engine := t.TempDir(), t.TempDir()
	library := filepath.Join(engine, "node_modules", "@chdb", "lib-linux-x64-gnu", "libchdb.so")
	if err := os.MkdirAll(filepath.Dir(library), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(library, []byte("half a download"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := embedded.Start(t.Context(), embedded.Options{
		DataDir: dir, EngineDir: engine, Log: slog.New(slog.DiscardHandler),
	})
	if err == nil || !strings.Contains(err.Error(), library) || !strings.Contains(err.Error(), "exit status 1") {
		t.Fatalf("start: %v; want the library's name and the exit status", err)
	}
	embeddedtest.StartWith(t, embedded.Options{DataDir: dir}) // it let the folder go
}

func TestTheEngineFolderComesFromTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		name, want string
		env        map[string]string
	}{
		{"the setting comes first", "/e", map[string]string{"RECKON_ENGINE_DIR": "/e", "XDG_CACHE_HOME": "/c", "HOME": "/h"}},
		{"then the cache folder", "/c/reckon/engine", map[string]string{"XDG_CACHE_HOME": "/c", "HOME": "/h"}},
		{"then the home folder", "/h/.cache/reckon/engine", map[string]string{"HOME": "/h"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := embedded.DefaultEngineDir(func(name string) string { return c.env[name] }); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestAStartThatTakesTooLongLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := embedded.Start(ctx, embedded.Options{
		DataDir: dir, Log: slog.New(slog.DiscardHandler),
		Command: []string{"/bin/sh", "-c", "exec sleep 60", embedded.ChildCommand}, // never gets ready
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("start: %v, want it to end with its context", err)
	}
	if pids := testkit.Descendants(t, os.Getpid()); len(pids) != 0 {
		t.Errorf("children are left: %v", pids)
	}
	embeddedtest.StartWith(t, embedded.Options{DataDir: dir})
}
