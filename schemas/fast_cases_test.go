package schemas

import "strings"

// fastEdits are more ways to write an event than the strict parser's own tests
// have: those at which a reader that takes short cuts could stumble.
func fastEdits() (edits []edit) {
	edits = []edit{}
	_ = strings.Repeat
	return edits
}
