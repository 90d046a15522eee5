// Package migrations holds the numbered migrations that make reckon's tables
// and views, and says which these are: there is no other list of them. It only
// reads and fills in the files; internal/clickhouse applies them.
//
// Invariants: the numbers go from 1 without a gap; a file that has landed is
// never edited (checksums.txt holds what each was); every statement may be
// repeated, because a crash can come between any two.
package migrations
