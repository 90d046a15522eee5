// Package scope says what a statement is restricted to: a cutoff, accounts, what a run
// touched. Its parts of SQL stand beside the functions that bind their parameters.
package scope
