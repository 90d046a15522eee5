package testkit

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
)

// kept is how much of what was written is kept: enough for any test, and little
// enough for a broker that runs for an hour.
const kept = 4 << 20

// Output keeps what is written, the latest few MiB of it. It may be read
// meanwhile.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write never fails.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() > 2*kept {
		o.text.Next(o.text.Len() - kept)
	}
	return o.text.Write(p)
}

// String is what was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Await waits until something matches the pattern, which Go's regexp reads line
// by line, and returns the match and its groups.
func (o *Output) Await(t testing.TB, pattern string) []string {
	t.Helper()
	var found []string
	Eventually(t, patience, "it says "+pattern, func() bool {
		found = regexp.MustCompile("(?m)" + pattern).FindStringSubmatch(o.String())
		return found != nil
	})
	return found
}
