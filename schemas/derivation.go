package schemas

import "slices"

// Derivation asks for the periods of some months from what is stored: which
// months, over which part of the log.
type Derivation struct {
	Run Run
	// Earlier are the seals before it, by number ascending, for choosing the copy
	// that counts.
	Earlier []Run
	// First is billing's first month. Last is the month derived up to: the one
	// to be sealed or, where a run only settles, the last sealed one.
	First, Last Month
	// New tells that Last is to be sealed: it is derived for every resource, not
	// only for those that the run marked as touched by late events.
	New bool
	// Untouched tells that the run marked no resource as touched, and none need be
	// looked for.
	Untouched bool
	// FullHistory derives every resource from all its events, as if nothing had
	// been sealed yet.
	FullHistory bool
	// Strays is of the stray copies. If it is nil they are looked for, unless all is
	// to be derived AssumeNoStrays: who asks for that keeps nothing of it if there
	// are any.
	Strays         StrayWinner
	AssumeNoStrays bool
	// Accounts restricts to these, nil for all; Except leaves some out.
	Accounts, Except []string
	// Anomalies is told of the events of the months derived that cannot apply, resource
	// after resource, those of one before it is yielded; nil for not at all.
	Anomalies func(Anomaly) error
	// Survey names the survey that asks, in place of a run: of the touched resources
	// that it wrote down. Empty where a run asks.
	Survey string
}

// Since is the cutoff of the seal before the run: what lies behind it came late. Before
// the first seal there is none.
func (d *Derivation) Since() Cutoff {
	if len(d.Earlier) == 0 {
		return nil
	}
	return d.Earlier[len(d.Earlier)-1].Cutoff
}

// Derived is what the events of one resource come to.
type Derived struct {
	AccountID, ResourceID string
	// Periods ascend by start and are clipped to months: those of
	// Derivation.Last or, from full history, of every month from
	// Derivation.First on.
	Periods []Period
	// Snapshot is the state after Derivation.Last; nil when nothing is to be
	// remembered that is not remembered already.
	Snapshot *Snapshot
	// FullHistory tells that all months were derived, from all events.
	FullHistory bool
	// Rederived tells that a snapshot counted as absent, because it could not be read or
	// lacked what is needed: all months were derived, from all events, but only what is
	// of Derivation.Last is new.
	Rederived bool
	// Late are the events stored since the run before, of a resource derived from
	// full history, by the first month that each can touch, ascending.
	Late []LateMonth
	// Err breaks the account: what else is set does not count.
	Err error
}

// LateMonth counts late events and names the first 100 of them, in event order.
type LateMonth struct {
	Month Month
	Count int64
	First []EventRef
}

// LateNamed is how many late events of a month, and of an adjustment, are named
// (contract 5).
const LateNamed = 100

// Take adds another's events, which come later.
func (m *LateMonth) Take(o *LateMonth) {
	m.Count += o.Count
	m.First = append(slices.Clip(m.First), o.First[:min(len(o.First), LateNamed-len(m.First))]...)
}

// StrayWinner says of an identity that has stray copies (copies that differ in
// account, resource, time, sequence or kind, so that no one fold sees them side by
// side) where the one that counts lies (contract 2). Of any other identity it says
// false.
type StrayWinner func(identity Hash) (Position, bool)
