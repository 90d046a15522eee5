package embedded_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// O1, O2: who finds a folder in use is told by whom.
func TestWhoUsesAFolderIsTold(t *testing.T) {
	dir := t.TempDir()
	up := embedded.Holder{Command: "up", Serves: true}
	stack := embeddedtest.StartWith(t, embedded.Options{DataDir: dir, As: up, NoClickHouse: true})
	up.PID = os.Getpid()
	_, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler), NoClickHouse: true})
	var locked *embedded.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, embedded.ErrLocked) || locked.Holder != up || !strings.Contains(err.Error(), up.String()) {
		t.Errorf("a second start: %v", err)
	}
	if err := stack.Close(t.Context()); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "lock"))
	if err != nil || len(text) != 0 {
		t.Errorf("after its end the lock says %q (%v)", text, err)
	}
}

func TestAHolderIsNamedAsFarAsItIsKnown(t *testing.T) {
	for want, h := range map[string]embedded.Holder{
		"another reckon":             {Serves: true},
		"another reckon (pid 7)":     {PID: 7},
		"reckon report usage":        {Command: "report usage"},
		"reckon demo (pid 12345678)": {Command: "demo", PID: 12345678},
	} {
		if got := h.String(); got != want {
			t.Errorf("%+v is %q, want %q", h, got, want)
		}
	}
}

// O1: what is cleared away is what nobody uses, but for what is to be kept.
func TestOnlyAFolderThatNobodyUsesIsCleared(t *testing.T) {
	dir := t.TempDir()
	demo := embedded.Holder{Command: "demo"}
	if err := embedded.Clear(t.Context(), filepath.Join(dir, "none"), demo); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
	for _, name := range []string{"mark", "other"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stack := embeddedtest.StartWith(t, embedded.Options{DataDir: dir, As: embedded.Holder{Command: "up", Serves: true}})
	before := names(t, dir)
	err := embedded.Clear(t.Context(), dir, demo, "mark")
	if !errors.Is(err, embedded.ErrLocked) || !strings.Contains(err.Error(), "reckon up") || names(t, dir) != before {
		t.Errorf("of a running stack: %v; what is there is %s, and was %s", err, names(t, dir), before)
	}
	if err := stack.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := embedded.Clear(t.Context(), dir, demo, "mark"); err != nil || names(t, dir) != "lock mark" {
		t.Errorf("of a stack that has ended: %v; left is %s", err, names(t, dir))
	}
	embeddedtest.StartWith(t, embedded.Options{DataDir: dir})
}

// O1: an engine whose parent was killed uses the folder for some seconds more.
func TestAFolderIsClearedOnceAnOrphanedEngineIsGone(t *testing.T) {
	dir := t.TempDir()
	p, e := startParent(t, dir)
	_ = startLongQuery(t, e)
	engine := engineOf(t, p.PID())
	p.Kill()
	if !testkit.Alive(engine) {
		t.Fatal("the engine died with its parent: this test shows nothing")
	}
	if err := embedded.Clear(t.Context(), dir, embedded.Holder{Command: "demo"}); err != nil {
		t.Error(err)
	}
	if testkit.Alive(engine) {
		t.Error("the tables were cleared away under a living engine")
	}
	if got := names(t, dir); got != "lock" {
		t.Errorf("left is %s", got)
	}
}

// What an older reckon locks it does not sign.
func TestAHolderThatDoesNotSaySoIsTakenForOneThatServes(t *testing.T) {
	dir := t.TempDir()
	stack := embeddedtest.StartWith(t, embedded.Options{DataDir: dir, NoClickHouse: true})
	if err := os.Truncate(filepath.Join(dir, "lock"), 0); err != nil {
		t.Fatal(err)
	}
	var locked *embedded.LockedError
	err := embedded.Clear(t.Context(), dir, embedded.Holder{})
	if !errors.As(err, &locked) || locked.Holder != (embedded.Holder{Serves: true}) {
		t.Errorf("got %v", err)
	}
	text, err := json.Marshal(stack.Endpoints())
	if err != nil || !strings.Contains(string(text), `"kafka":"127.0.0.1:`) || !strings.Contains(string(text), `"native":""`) {
		t.Errorf("endpoints %s (%v)", text, err)
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}
