package testkit

import (
	"testing"
	"time"
)

// Eventually asks every few milliseconds until the answer is yes; the test ends
// when that takes longer.
func Eventually(t testing.TB, patience time.Duration, what string, yes func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !yes(); {
		if time.Now().After(limit) {
			t.Fatalf("after %v still not: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
