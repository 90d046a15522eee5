package faults

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// TestAClickHouseThatTakesNothingHoldsIngestBack: whatever ails the store, ingest
// commits nothing that is not stored, does not grow, says why, is not ready, and
// goes on by itself when the store is well again.
func TestAClickHouseThatTakesNothingHoldsIngestBack(t *testing.T) {
	for _, c := range []struct {
		ail, says  string
		fall, heal func(w *world)
	}{
		{"it refuses connections", "connect to 127.0.0.1", func(w *world) { w.proxy.close() }, func(w *world) { w.proxy.reopen() }},
		{"it hangs", "not answered", func(w *world) { w.proxy.freeze() }, func(w *world) { w.proxy.thaw() }},
		{"it has too many parts", "Too many parts", func(w *world) {
			w.exec("SYSTEM STOP MERGES reckon.events")
			w.exec("ALTER TABLE reckon.events MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1")
		}, func(w *world) {
			w.exec("ALTER TABLE reckon.events RESET SETTING parts_to_throw_insert, parts_to_delay_insert")
			w.exec("SYSTEM START MERGES reckon.events")
		}},
		{"it has no memory left", "memory limit", func(w *world) { w.profile("<max_memory_usage>1000000</max_memory_usage>") }, func(w *world) { w.profile("") }},
		{"its user may only read", "readonly", func(w *world) { w.profile("<readonly>2</readonly>") }, func(w *world) { w.profile("") }},
	} {
		t.Run(c.ail, func(t *testing.T) {
			t.Parallel() // it waits more than it works
			events := size(5_000, 100_000)
			w := newWorld(t)
			listen := testkit.FreeAddress(t)
			// What waits in memory is bounded by this for all batches, and by what a
			// fetch brings to each of 16 partitions.
			p := w.ingest("LISTEN="+listen, "INGEST_BATCH_BYTES=4MiB", "INGEST_MEMORY=64MiB")
			w.sendUsage(events)
			w.caughtUp(time.Minute)
			memory := residentMiB(t, p)

			c.fall(w)
			began := time.Now()
			w.sendUsage(10 * events)
			testkit.Eventually(t, 2*time.Minute, "ingest says what ails it", func() bool { return strings.Contains(p.Log.String(), c.says) })
			said := time.Since(began)
			testkit.Eventually(t, time.Minute, "/readyz says no", func() bool { return !ready(listen) })
			before := w.lag()
			for until := time.Now().Add(3 * time.Second); time.Now().Before(until); {
				w.nothingCommittedIsMissing()
				time.Sleep(100 * time.Millisecond)
			}
			if w.lag() < before {
				t.Errorf("it went on from a lag of %d to %d though nothing could be stored", before, w.lag())
			}
			grown := residentMiB(t, p) - memory
			if grown > 600 {
				t.Errorf("ingest grew by %d MiB while it waited", grown)
			}

			c.heal(w)
			began = time.Now()
			w.caughtUp(2 * time.Minute)
			recovered := time.Since(began)
			testkit.Eventually(t, time.Minute, "/readyz says yes", func() bool { return ready(listen) })
			p.Terminate(t)
			w.checkStored()
			if !t.Failed() {
				figure(t, "said so after %.1f s, grew by %d MiB with %d events waiting, went on by itself %.1f s after the cure, 0 lost, 0 counted twice",
					said.Seconds(), max(0, grown), 10*events, recovered.Seconds())
			}
		})
	}
}

// nothingCommittedIsMissing looks whether all that is committed is stored.
func (w *world) nothingCommittedIsMissing() {
	w.t.Helper()
	for _, p := range w.committed() {
		stored := w.number(fmt.Sprintf("SELECT uniqExact(offset) FROM reckon.events WHERE topic = '%s' AND partition = %d AND offset < %d", p.Topic, p.Partition, p.End))
		if stored != p.End {
			w.t.Fatalf("%s/%d is committed at %d, but %d messages before it are stored", p.Topic, p.Partition, p.End, stored)
		}
	}
}

// profile gives the user of ClickHouse these settings and starts it again: the
// embedded one reads its users only then.
func (w *world) profile(settings string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "stack", "clickhouse", "users.xml")
	if w.users == "" {
		text, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		w.users = string(text)
	}
	user := "<" + w.stack.Endpoints().User + ">"
	at := strings.Index(w.users, user)
	head, tail := w.users[:at], w.users[at:]
	tail = strings.Replace(tail, "<profile>default</profile>", "<profile>ailing</profile>", 1)
	head = strings.Replace(head, "<profiles>", "<profiles><ailing>"+settings+"</ailing>", 1)
	text := head + tail
	if err := xml.Unmarshal([]byte(text), new(struct{})); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.restartEngine()
}

// restartEngine kills ClickHouse, which its stack starts again, and waits for that.
func (w *world) restartEngine() {
	w.t.Helper()
	if err := syscall.Kill(engineOf(w.t, os.Getpid(), w.stack.Endpoints().Native), syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
	testkit.Eventually(w.t, time.Minute, "ClickHouse is there again", func() bool { return w.store.Ping(w.t.Context()) == nil })
}

// clusters lets ClickHouse know two clusters of itself and of another server: of one, two
// is each a shard, and copies has them both in one.
func (w *world) clusters(other string) {
	w.t.Helper()
	replica := func(address string) string {
		host, port, _ := strings.Cut(address, ":")
		return "<replica><host>" + host + "</host><port>" + port + "</port></replica>"
	}
	one, two := replica(w.stack.Endpoints().Native), replica(other)
	path := filepath.Join(w.dir, "stack", "clickhouse", "config.xml")
	text, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	with := strings.Replace(string(text), "</clickhouse>", "<remote_servers><halves><shard>"+one+"</shard><shard>"+two+"</shard></halves>"+
		"<copies><shard>"+one+two+"</shard></copies></remote_servers></clickhouse>", 1)
	if err := os.WriteFile(path, []byte(with), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.restartEngine()
}

// ready asks /readyz.
func ready(addr string) bool {
	res, err := http.Get("http://" + addr + "/readyz") //nolint:noctx // on loopback
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}

// residentMiB is the memory that the process holds.
func residentMiB(t *testing.T, p *testkit.Process) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID()), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}
