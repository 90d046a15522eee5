// Package schedule says which jobs come due between two instants, for the wall
// clock and for a replay's alike.
//
// It owns what a spec means and the order of jobs at one instant. It owns no
// clock and runs nothing: who asks says from when to when, so that a tick that
// nobody was awake for comes due all the same, and asking twice for the same
// stretch gives the same.
package schedule
