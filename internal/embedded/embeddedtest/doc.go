// Package embeddedtest gives tests a stack of their own: the same engines as
// in production, in a folder that the test owns.
//
// A package that uses it says once:
//
//	func TestMain(m *testing.M) { os.Exit(embeddedtest.Run(m)) }
package embeddedtest
