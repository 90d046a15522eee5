package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// floor lets one entrant after the other go on, each from one write to the next.
type floor struct {
	mu       sync.Mutex
	changed  *sync.Cond
	entrants []*entrant
	told     []string
}

// entrant is somebody who waits before each write until it is his turn.
type entrant struct {
	name    string
	floor   *floor
	waiting *wait
	dead    bool
	ended   bool
	err     error
}

type wait struct {
	what string
	fate chan failure
}

// visit is so many writes of one, or fewer where the next is called to; he then fails,
// unless it is never.
type visit struct {
	who    *entrant
	writes int
	to     string
	then   failure
}

func newFloor() *floor {
	f := &floor{}
	f.changed = sync.NewCond(&f.mu)
	return f
}

// enter lets somebody come, who waits before he begins.
func (f *floor) enter(name string, act func(*entrant) error) *entrant {
	e := &entrant{name: fmt.Sprintf("%d: %s", len(f.entrants), name), floor: f}
	f.entrants = append(f.entrants, e)
	go func() {
		err := errBroke
		if e.waits(0, "begins") == never {
			err = act(e)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		e.ended, e.err = true, err
		f.changed.Broadcast()
	}()
	return e
}

// waits is [breaking]'s question whether a write fails. Only one write of his waits at
// a time: a runner has one under way.
func (e *entrant) waits(_ int, what string) failure {
	e.floor.mu.Lock()
	if e.dead {
		e.floor.mu.Unlock()
		return before
	}
	w := &wait{what, make(chan failure, 1)}
	e.waiting = w
	e.floor.changed.Broadcast()
	e.floor.mu.Unlock()
	return <-w.fate
}

// play lets the visits happen, and then everybody in order what is left of him.
func (f *floor) play(visits []visit) {
	for _, v := range visits {
		for range v.writes {
			if !f.step(v.who, v.to, never) {
				break
			}
		}
		if v.then != never {
			f.step(v.who, "", v.then)
		}
	}
	for f.step(nil, "", never) {
	}
}

// step lets one write happen: of the entrant or, where he is nil, of the first who has
// not ended. Everybody stands before his next write by then. It is false where the next
// is called to, and where there is none.
func (f *floor) step(who *entrant, to string, then failure) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for slices.ContainsFunc(f.entrants, func(e *entrant) bool { return !e.ended && e.waiting == nil }) {
		f.changed.Wait()
	}
	if who == nil {
		i := slices.IndexFunc(f.entrants, func(e *entrant) bool { return !e.ended })
		if i < 0 {
			return false
		}
		who = f.entrants[i]
	}
	if who.ended || who.waiting.what == to {
		return false
	}
	w := who.waiting
	who.waiting, who.dead = nil, then != never
	f.told = append(f.told, fmt.Sprintf("%s %s%s", who.name, w.what, []string{"", ", killed before", ", killed after"}[then]))
	w.fate <- then
	return true
}

func (f *floor) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.told, "\n")
}
