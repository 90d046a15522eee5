package config

import "fmt"

// UsageError is something that was asked wrongly, a setting, a flag, a month or
// a file, found before anything starts: the caller's to mend, not a failure.
type UsageError struct{ Err error }

func (u UsageError) Error() string { return u.Err.Error() }

// Unwrap is the error underneath.
func (u UsageError) Unwrap() error { return u.Err }

// Usagef is a usage error of a text, as [fmt.Errorf] makes it.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }
