package embedded_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// parentCommand makes the test binary a process that holds a stack until its
// standard input ends: the one that tests kill.
const parentCommand = "parent"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == parentCommand {
		os.Exit(parent(os.Args[2]))
	}
	os.Exit(embeddedtest.Run(m))
}

func parent(dataDir string) int {
	stack, err := embedded.Start(context.Background(), embedded.Options{
		DataDir: dataDir, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(stack.Endpoints())
	}
	if err == nil {
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// startParent runs parent on a folder.
func startParent(t *testing.T, dataDir string) (*testkit.Process, embedded.Endpoints) {
	t.Helper()
	cmd := testkit.Command(os.Args[0], parentCommand, dataDir)
	cmd.Stderr = t.Output()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	p := testkit.Start(t, cmd)
	var e embedded.Endpoints
	if err := json.Unmarshal([]byte(p.Out.Await(t, "^{.*}$")[0]), &e); err != nil {
		t.Fatalf("parent process did not start its stack: %v", err)
	}
	return p, e
}

// ask runs a query over HTTP as the user of the endpoints.
func ask(ctx context.Context, e embedded.Endpoints, query string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.HTTP+"/", strings.NewReader(query))
	if err != nil {
		return "", err
	}
	if e.User != "" {
		req.Header.Set("X-ClickHouse-User", e.User)
		req.Header.Set("X-ClickHouse-Key", e.Password)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", resp.Status, body)
	}
	return strings.TrimSpace(string(body)), nil
}

func mustAsk(t *testing.T, e embedded.Endpoints, query string) string {
	t.Helper()
	answer, err := ask(t.Context(), e, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// startLongQuery returns when a query of many minutes runs; its end is sent to
// the channel.
func startLongQuery(t *testing.T, e embedded.Endpoints) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := ask(context.WithoutCancel(t.Context()), e,
			"SELECT sum(sleepEachRow(1)) FROM numbers(3600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0")
		ended <- err
	}()
	testkit.Eventually(t, 10*time.Second, "the long query is running", func() bool {
		return mustAsk(t, e, "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sum(sleepEachRow%'") == "1"
	})
	return ended
}

// engineOf returns the id of a process's engine.
func engineOf(t *testing.T, parent int) int {
	t.Helper()
	pids := testkit.Descendants(t, parent)
	if len(pids) != 1 {
		t.Fatalf("process %d has the children %v, want one engine", parent, pids)
	}
	return pids[0]
}
