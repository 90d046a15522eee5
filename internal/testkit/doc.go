// Package testkit is what tests need that start programs: processes that
// outlive no test, what they say, ports that nobody listens on, folders for a
// TestMain, and patience.
//
// Only tests and the packages that help them (kafkatest, embeddedtest) import
// it. It knows nothing of reckon: brokers are kafkatest's, engines embeddedtest's.
package testkit
