// Package clickhousetest is what the tests of the stores have in common: a migrated
// database, events to store in it, and a way to the server that can be cut.
package clickhousetest
