package telemetry

import (
	"sync"
)

// Health is made of named checks: the process is ready when all of them are.
// It is safe for use by several goroutines.
type Health struct {
	mu     sync.Mutex
	checks []*Check
}

// Check is the readiness of one part. It begins as not ready.
type Check struct {
	mu     sync.Mutex
	name   string
	ready  bool
	reason string
}

// Check adds a check of that name.
func (h *Health) Check(name string) *Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &Check{name: name, reason: "starting"}
	h.checks = append(h.checks, c)
	return c
}

// Ready says that the part does its work.
func (c *Check) Ready() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready, c.reason = true, ""
}

// NotReady says that the part does not do its work, and why.
func (c *Check) NotReady(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready, c.reason = false, reason
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
	return CheckStatus{Name: c.name, Ready: c.ready, Reason: c.reason}
}
