package telemetry

import (
	"fmt"
	"sync"
	"time"
)

// Health is made of named checks: the process is ready when all of them are.
// It is safe for use by several goroutines.
type Health struct {
	now    func() time.Time
	mu     sync.Mutex
	checks []*Check
}

// NewHealth is handed the clock that ages are told by.
func NewHealth(now func() time.Time) *Health { return &Health{now: now} }

// Check is the readiness of one part. It begins as not ready.
type Check struct {
	now  func() time.Time
	name string
	// within is how old a success may be, 0 for any age.
	within time.Duration

	mu     sync.Mutex
	ready  bool
	reason string
	// since is when it became ready, succeeded when it was last said to be; zero: never.
	since, succeeded time.Time
}

// Check adds a check of that name.
func (h *Health) Check(name string) *Check { return h.CheckWithin(name, 0) }

// CheckWithin adds a check that is ready only as long as it is said to be again within
// the time: whoever would say that it is not may hang.
func (h *Health) CheckWithin(name string, within time.Duration) *Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &Check{now: h.now, name: name, within: within, reason: "starting"}
	h.checks = append(h.checks, c)
	return c
}

// Ready says that the part does its work: something succeeded.
func (c *Check) Ready() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.succeeded = c.now()
	if !c.ready {
		c.since = c.succeeded
	}
	c.ready, c.reason = true, ""
}

// NotReady says that the part does not do its work, and why, until it is said to be
// ready.
func (c *Check) NotReady(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready, c.reason = false, reason
}

// readyFor is for how long the part has been ready.
func (c *Check) readyFor() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready {
		return 0
	}
	return c.now().Sub(c.since)
}

// Status is what /readyz answers, as JSON.
type Status struct {
	Ready  bool          `json:"ready"`
	Checks []CheckStatus `json:"checks"`
}

// CheckStatus is one check of a Status; Reason is empty when it is ready.
type CheckStatus struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
	// AgeSeconds is how long ago something last succeeded, where an age is set; nil
	// before anything has.
	AgeSeconds *float64 `json:"age_seconds,omitempty"`
}

// Status is how things stand, checks in the order in which they were added.
func (h *Health) Status() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Status{Ready: true, Checks: []CheckStatus{}}
	for _, c := range h.checks {
		one := c.status()
		s.Checks = append(s.Checks, one)
		s.Ready = s.Ready && one.Ready
	}
	return s
}

func (c *Check) status() CheckStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := CheckStatus{Name: c.name, Ready: c.ready, Reason: c.reason}
	if c.within == 0 || c.succeeded.IsZero() {
		return s
	}
	age := c.now().Sub(c.succeeded)
	seconds := age.Round(100 * time.Millisecond).Seconds()
	s.AgeSeconds = &seconds
	if s.Ready && age > c.within {
		s.Ready, s.Reason = false, fmt.Sprintf("nothing has succeeded for %s", age.Round(time.Second))
	}
	return s
}
