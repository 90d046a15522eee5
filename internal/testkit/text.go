package testkit

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// Tail is the end of a text, for a message.
func Tail(text string, bytes int) string {
	if len(text) > bytes {
		return "…" + text[len(text)-bytes:]
	}
	return text
}

// Difference is the first line in which two texts differ, "" if none.
func Difference(got, want string) string {
	a, b := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	line := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return ""
	}
	for i := range max(len(a), len(b)) {
		if g, w := line(a, i), line(b, i); g != w {
			return fmt.Sprintf("line %d is\n%q\nmust be\n%q", i+1, g, w)
		}
	}
	return ""
}

// Warnings is a log for what a test starts beside what it tests.
func Warnings(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
