// Package histories draws small, nasty histories of one or a few resources for
// property tests: everything falls on the same minute, second and millisecond,
// on the edges of months and of the 24 hours in which a resource can fail.
//
// Every event is whole and valid by contract 2; no (source, id) is used twice.
// It owns the drawing only: what a history means is for the tests to say.
package histories
