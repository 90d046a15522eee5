package embedded_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

func TestTheEngineDiesWithItsParentHoweverThatWent(t *testing.T) {
	for _, c := range []struct {
		name string
		busy bool
	}{{"idle", false}, {"with a query running and a connection open", true}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			parent, e := startParent(t, dir)
			engine := engineOf(t, e.PID)
			mustAsk(t, e, "CREATE DATABASE reckon")
			mustAsk(t, e, "CREATE TABLE reckon.t (a UInt64) ENGINE = MergeTree ORDER BY a")
			mustAsk(t, e, "INSERT INTO reckon.t VALUES (7)")
			if c.busy {
				openConnection(t, e.Native)
				startLongQuery(t, e)
			}
			killed := time.Now()
			parent.Kill()
			if parent.ExitCode() == 0 {
				t.Error("a killed parent says it succeeded")
			}
			if c.busy {
				// A new reckon does not wait for the old engine's end itself.
				again := embeddedtest.StartWith(t, embedded.Options{DataDir: dir, Ports: portsOf(t, e), PortsFixed: true})
				t.Logf("started again %s after the kill", time.Since(killed))
				if got := mustAsk(t, again.Endpoints(), "SELECT a FROM reckon.t"); got != "7" {
					t.Errorf("kept %s, want 7", got)
				}
			}
			testkit.Eventually(t, 10*time.Second, "the engine is gone", func() bool { return !testkit.Alive(engine) })
			t.Logf("engine gone %s after the kill", time.Since(killed))
		})
	}
}

func TestWhatAKilledProcessLeftCountsAsNotRunning(t *testing.T) {
	dir := t.TempDir()
	parent, e := startParent(t, dir)
	if found, err := embedded.ReadEndpoints(dir); err != nil || found != e {
		t.Fatalf("endpoints of the other process: %+v, %v; want %+v", found, err, e)
	}
	parent.Kill()
	testkit.Eventually(t, 10*time.Second, "its endpoints count as nothing", func() bool {
		_, err := embedded.ReadEndpoints(dir)
		return err != nil
	})
}

func TestADeadEngineIsStartedAgainOnTheSamePorts(t *testing.T) {
	stack := embeddedtest.Start(t)
	e := stack.Endpoints()
	mustAsk(t, e, "CREATE DATABASE reckon")
	mustAsk(t, e, "CREATE TABLE reckon.t (a UInt64) ENGINE = MergeTree ORDER BY a")
	mustAsk(t, e, "INSERT INTO reckon.t VALUES (7)")
	first := engineOf(t, os.Getpid())
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "the stack says it is down", func() bool { return stack.Health() != nil })
	if down := stack.Health(); down == nil || !strings.HasSuffix(down.Error(), "signal: killed") {
		t.Errorf("what it says of the killed engine ends in the engine's chatter: %v", down)
	}
	testkit.Eventually(t, 15*time.Second, "the stack is up again", func() bool { return stack.Health() == nil })
	if got := mustAsk(t, e, "SELECT a FROM reckon.t"); got != "7" {
		t.Errorf("kept %s, want 7", got)
	}
	if second := engineOf(t, os.Getpid()); second == first {
		t.Errorf("process %d still is the engine", first)
	}
}

func TestAStackClosesWhileItsDeadEngineIsDown(t *testing.T) {
	stack := embeddedtest.Start(t)
	if err := syscall.Kill(engineOf(t, os.Getpid()), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "the stack says it is down", func() bool { return stack.Health() != nil })
	if err := stack.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if pids := testkit.Descendants(t, os.Getpid()); len(pids) != 0 {
		t.Errorf("children are left: %v", pids)
	}
}

func TestTheEngineIgnoresSignalsMeantForItsParent(t *testing.T) {
	stack := embeddedtest.Start(t)
	engine := engineOf(t, os.Getpid())
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for range 3 {
			if err := syscall.Kill(engine, signal); err != nil {
				t.Fatal(err)
			}
		}
		mustAsk(t, stack.Endpoints(), "SELECT sleep(0.1)")
	}
	if again := engineOf(t, os.Getpid()); again != engine {
		t.Errorf("engine %d was replaced by %d", engine, again)
	}
}

func TestStoppingIsBounded(t *testing.T) {
	for _, c := range []struct {
		name     string
		busy     bool
		patience time.Duration
		within   time.Duration
	}{
		{"an idle stack stops at once", false, time.Minute, 2 * time.Second},
		{"a busy stack stops within 5 s", true, time.Minute, 5 * time.Second},
		{"a busy stack stops sooner when the caller says so", true, 100 * time.Millisecond, 1500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			stack := embeddedtest.Start(t)
			var query <-chan error
			if c.busy {
				openConnection(t, stack.Endpoints().Native)
				query = startLongQuery(t, stack.Endpoints())
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			defer cancel()
			began := time.Now()
			if err := stack.Close(ctx); err != nil {
				t.Error(err)
			}
			took := time.Since(began)
			t.Logf("stopped in %s", took)
			if took > c.within {
				t.Errorf("it took %s, want at most %s", took, c.within)
			}
			if c.busy && <-query == nil {
				t.Error("the query came to its end")
			}
		})
	}
}

// openConnection holds a TCP connection until the test ends.
func openConnection(t *testing.T, addr string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
}

// The engine once took whatever a connection's thread threw for its own end: a
// client that was killed amid an answer, or one that speaks something else.
func TestTheEngineOutlivesClientsThatBreakOffOrSayNonsense(t *testing.T) {
	stack := embeddedtest.Start(t)
	e := stack.Endpoints()
	engine := engineOf(t, os.Getpid())
	var hello proto.Buffer
	proto.ClientHello{Name: "test", Major: 1, ProtocolVersion: int(proto.FeatureVersionPatch), User: e.User, Password: e.Password}.Encode(&hello)
	for range 20 {
		for _, said := range [][]byte{
			append(slices.Clone(hello.Buf), 99), // no packet has this code
			hello.Buf[:5],
			[]byte("GET / HTTP/1.0\r\n\r\n"),
		} {
			conn, err := net.Dial("tcp", e.Native) //nolint:noctx // loopback, and closed at once
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(said); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What they said has been read by now, or is before this is answered.
	for range 50 {
		mustAsk(t, e, "SELECT 1")
	}
	if err := stack.Health(); err != nil || engineOf(t, os.Getpid()) != engine {
		t.Errorf("the engine was started again: %v", err)
	}
}
