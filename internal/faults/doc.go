// Package faults proves what reckon promises when things break: the program
// itself, on the real engines, is killed, cut off, frozen and starved while it
// works, and what it stored and invoiced is compared with the generator's truth.
//
// It owns no code that runs: the tests and their tools. Each test prints its
// figures. Those that wait more than they work run side by side; those that
// measure speed or the time to stop run alone. `make test` runs a short form of
// each; `make faults` the long one, and `make test-kafka` the short one on Apache
// Kafka.
package faults
