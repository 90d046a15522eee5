package fold

import (
	"errors"
	"sort"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// ErrAbsent says that a snapshot cannot be read, or lacks what is needed: it counts as
// absent, and whose it is has to be folded from full history.
var ErrAbsent = errors.New("the snapshot counts as absent")

// Account is the fold of an account's own events: its mode at any instant, which its
// resources ask for. They come before those of its resources.
type Account struct {
	fold *Fold
	id   string
	// start is the mode at the beginning, changes are those since, in order; end is the
	// mode at the end of the last month.
	start, end schemas.Mode
	changes    []modeChange
	lates      lateEvents
	err        error
	// looked counts the changes that were looked at.
	looked int
}

type modeChange struct {
	at   time.Time
	mode schemas.Mode
}

// Account begins the fold of an account.
func (f *Fold) Account(id string) *Account { return &Account{fold: f, id: id} }

// ID is the account's id.
func (a *Account) ID() string { return a.id }

// Start sets out from a snapshot: [ErrAbsent] for one that counts as absent.
func (a *Account) Start(s *schemas.Snapshot) error {
	switch mode := schemas.Mode(s.State); mode {
	case schemas.Prepaid, schemas.Postpaid:
		a.start, a.end = mode, mode
		return nil
	}
	return ErrAbsent
}

// Apply folds the account's next event.
func (a *Account) Apply(e *schemas.Event, position schemas.Position) {
	a.changes = append(a.changes, modeChange{e.Time, e.Mode})
	if a.fold.late(position) {
		a.lates.add(e, refOf(e, position), a.fold.Zone)
	}
	if e.Time.UnixMilli() < a.fold.to {
		a.end = e.Mode
	}
}

// Take takes over what the account comes to in another fold, over full history.
func (a *Account) Take(full *Account) {
	a.start, a.end, a.changes, a.err = full.start, full.end, full.changes, full.err
}

// Fail says that an event could not be read. It breaks the account, and all of its
// resources with it.
func (a *Account) Fail(err error) { a.err = err }

// Derived is what the account's own events come to.
func (a *Account) Derived() schemas.Derived {
	d := schemas.Derived{AccountID: a.id, Err: a.err}
	if a.end != "" {
		d.Snapshot = &schemas.Snapshot{AccountID: a.id, At: a.fold.Next, State: string(a.end)}
	}
	return d
}

// mode is that of the last change whose time is not later; an account without any is
// prepaid (contract 1, 2).
func (a *Account) mode(t time.Time) schemas.Mode {
	mode := a.start
	if last := sort.Search(len(a.changes), func(i int) bool { return a.later(i, t) }); last > 0 {
		mode = a.changes[last-1].mode
	}
	if mode == "" {
		return schemas.Prepaid
	}
	return mode
}

// later tells whether a change is later than an instant.
func (a *Account) later(i int, t time.Time) bool {
	a.looked++
	return a.changes[i].at.After(t)
}
