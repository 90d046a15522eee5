package schemas

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

// bothRead reads a message with both parsers, checks that they agree on
// everything, and tells whether the fast one took it without the other's help.
func bothRead(t reporter, p *FastParser, m *Message) (fast bool) {
	t.Helper()
	want, wantErr := p.Parser.Parse(m)
	unsure := p.Unsure
	got, gotErr := p.Parse(m)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotErr, wantErr) {
		t.Errorf("value %.600q headers %q: %+v %v, want %+v %v", m.Value, m.Headers, got, gotErr, want, wantErr)
	}
	// What falls back agrees anyway: what was read before must have been right too.
	fast = p.Unsure == unsure
	if fast && wantErr != nil {
		t.Errorf("value %.600q headers %q: accepted, want %v", m.Value, m.Headers, wantErr)
	}
	return fast
}

func newFast() *FastParser { return NewFastParser(Parser{Currency: vnd()}) }

func allEdits() []edit {
	return slices.Concat(jsonEdits(), attributeEdits(), dataEdits(), numberEdits(), timeEdits(), fastEdits())
}

func TestTheFastParserAgreesOnEveryCaseOfTheOthers(t *testing.T) {
	p := newFast()
	for _, f := range corpus(t) {
		bothRead(t, p, &Message{Time: farStamp(), Value: f.value})
		if f.reason == "" {
			bothRead(t, p, binaryMode(t, string(f.value)))
		}
	}
	for _, c := range allEdits() {
		bothRead(t, p, structured(c.value(t)))
	}
	for _, c := range messageCases() {
		bothRead(t, p, &c.message)
	}
}

func TestARejectionIsTheStrictParsers(t *testing.T) {
	_, err := newFast().Parse(structured(`{}`))
	var r *Rejection
	if !errors.As(err, &r) || r.Reason != RejectMissingField {
		t.Errorf("%v", err)
	}
}
