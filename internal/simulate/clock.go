package simulate

import (
	"sync"
	"time"
)

// Clock stands until it is moved: the clock of all that reaches the results of a
// simulation. Many may read it while one moves it.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock is a clock that stands at an instant.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is where it stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves it on, never back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(max(0, d))
}
