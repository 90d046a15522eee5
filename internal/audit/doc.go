// Package audit verifies and explains what was issued: it derives a month or an
// invoice again from its events and compares, or says line by line what each
// number came from.
//
// It reads through ports of its own, writes nothing and prints nothing: findings
// and explanations are values, for commands and others alike.
package audit
