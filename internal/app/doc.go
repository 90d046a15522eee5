// Package app makes a process of the stages: from settings to a log and a store
// that are connected, stages that are wired to them, started, supervised and
// stopped.
//
// Run is a process that goes on until its context ends, in one of the roles of
// the table; Connect is for a command that asks or does one thing. Neither
// touches signals, flags or the standard streams, so tests start whole programs
// in process. Stages never import each other: they are joined here.
package app
