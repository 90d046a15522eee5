package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// ticking is a clock that moves by so much each time that it is asked.
func ticking(by time.Duration) func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time { now = now.Add(by); return now }
}

func TestProgressIsLinesNowAndThenWhereThereIsNoTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var out bytes.Buffer
	for _, p := range []*Progress{NewProgress(&out, ticking(300*time.Millisecond)), NewProgress(file, ticking(300*time.Millisecond))} {
		var said []string
		for i := range 9 {
			if p.Due(time.Second) {
				p.Show(int64(i), 9, fmt.Sprint(i), func(text string) { said = append(said, text) })
			}
		}
		p.Clear()
		if got := strings.Join(said, " "); got != "3 7" {
			t.Errorf("said %q", got)
		}
	}
	if text, err := os.ReadFile(file.Name()); err != nil || len(text)+out.Len() != 0 {
		t.Errorf("it wrote %q and %q by itself, %v", text, out.String(), err)
	}
}

func TestProgressIsOneLineOfATerminal(t *testing.T) {
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = screen.Close() }()
	var shown testkit.Output
	go func() { _, _ = io.Copy(&shown, screen) }() // ends when the terminal is closed
	p := NewProgress(terminal, ticking(time.Second))
	silent := func(text string) { t.Errorf("%q is said beside the bar", text) }
	for i := range int64(3) {
		if !p.Due(time.Hour) {
			t.Error("a terminal waits for as long as lines do")
		}
		p.Show(0, 0, fmt.Sprintf("%d sent", i), silent)
	}
	p.Show(50, 100, "half of it", silent)
	shown.Await(t, `2 sent`)
	shown.Await(t, `half of it +50%`)
	p.Clear()
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	if text := shown.String(); strings.Contains(text, "\n") {
		t.Errorf("more than a line: %q", text)
	}
}
