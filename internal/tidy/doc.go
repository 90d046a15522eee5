// Package tidy holds the rules of the house as tests: which room may import
// what, what the pure rooms keep out, migrations that never change once they
// landed, settings and metrics that the README explains, files of a readable
// length, comments that silence no linter that does not run; and that every
// rule, bug, number, file and document that is cited is in the tree.
//
// It owns no code that runs. The import table is the one in its tests; a new
// room is put there on purpose or the tests fail.
package tidy
