// Package report writes what was invoiced: the usage report of contract section
// 6 as CSV, JSON or a table for people, and one invoice as a person wants to read
// it. It is handed rows and says nothing of its own: no amount is computed here
// but the totals under a table.
//
// CSV and JSON carry every column, exactly; the table leaves some out and groups
// digits. All three hold a bounded number of rows, however many there are.
package report
