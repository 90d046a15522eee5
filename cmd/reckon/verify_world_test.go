package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/reckon-billing/reckon/internal/simulate"
	"github.com/reckon-billing/reckon/schemas"
)

// town is a reckon on engines of its own that commands find by its data folder,
// as they find a reckon up that runs.
type town struct {
	*simulate.Stack
	settings []string
	// produce sends messages; a command may send others meanwhile.
	produce func(context.Context, []schemas.Message) ([]schemas.Position, error)
	// conn goes behind the store's back.
	conn native.Conn
}

// startTown starts the engines; every message gets the given Kafka timestamp, and
// billing begins with the first month.
func startTown(t *testing.T, now time.Time, first schemas.Month) *town {
	t.Helper()
	a := &cli{environ: outside(), stdout: io.Discard, stderr: io.Discard, now: time.Now}
	cfg, _, err := a.settings()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	s, err := simulate.Keep(t.Context(), folder, simulate.Options{
		Config: cfg, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now, Clock: simulate.NewClock(now), First: first, BatchRows: 1_000,
		Serves: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e := s.Endpoints()
	conn, err := driver.Open(&driver.Options{
		Addr: []string{e.Native}, Auth: driver.Auth{Database: cfg.ClickHouse.Database, Username: e.User, Password: e.Password},
		Settings: driver.Settings{"mutations_sync": 2, "insert_deduplicate": 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	out, err := s.Kafka.NewProducer(t.Context(), s.EventTopics()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return &town{Stack: s, produce: out.Produce, settings: []string{"RECKON_DATA_DIR=" + folder}, conn: conn}
}

// play produces the lines of a scenario and seals where told.
func (w *town) play(t *testing.T, lines ...string) {
	t.Helper()
	err := w.WithIngest(t.Context(), func(ctx context.Context) error {
		for _, text := range lines {
			month, err := simulate.Directive([]byte(text))
			if err != nil {
				return err
			}
			if !month.IsZero() {
				if _, err := w.Seal(ctx, month); err != nil {
					return err
				}
				continue
			}
			if _, err := w.produce(ctx, []schemas.Message{w.Message([]byte(text))}); err != nil {
				return err
			}
		}
		_, err := w.Seals.NoteCutoff(ctx) // all of it is stored
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// scenarioLines are the lines of a file of testdata.
func scenarioLines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// command runs a command on the town.
func (w *town) command(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	var stdout, stderr bytes.Buffer
	a := &cli{
		environ: slices.Concat(outside(), w.settings), stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr,
		now: w.Clock.Now,
	}
	return outcome{a.run(ctx, args), stdout.String(), stderr.String()}
}

// exec runs a statement behind the store's back.
func (w *town) exec(t *testing.T, format string, args ...any) {
	t.Helper()
	if err := w.conn.Exec(t.Context(), fmt.Sprintf(format, args...)); err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// text is the one value that a query gives.
func (w *town) text(t *testing.T, format string, args ...any) string {
	t.Helper()
	var s string
	if err := w.conn.QueryRow(t.Context(), fmt.Sprintf(format, args...)).Scan(&s); err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
	return s
}

// changed runs work while a table lacks or has other rows: change is told the
// table's name and that of a copy of its rows as they were.
func (w *town) changed(t *testing.T, table string, change func(table, kept string), work func()) {
	t.Helper()
	w.keep(t, table)
	change(table, table+"_kept")
	work()
	w.restore(t, table)
}

// keep copies a table's rows to one of the name and _kept; restore puts them
// back.
func (w *town) keep(t *testing.T, table string) {
	t.Helper()
	w.exec(t, "CREATE TABLE %s_kept AS %s", table, table)
	w.exec(t, "INSERT INTO %s_kept SELECT * FROM %s", table, table)
}

func (w *town) restore(t *testing.T, table string) {
	t.Helper()
	w.exec(t, "TRUNCATE TABLE %s", table)
	w.exec(t, "INSERT INTO %s SELECT * FROM %s_kept", table, table)
	w.exec(t, "DROP TABLE %s_kept SYNC", table)
}
