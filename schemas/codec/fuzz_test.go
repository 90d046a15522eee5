package codec

import (
	"slices"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// FuzzParseEvent throws any bytes at the parser, as a structured event, or as
// the data of a binary one when headers are given, one a line as "key: value".
func FuzzParseEvent(f *testing.F) {
	for _, file := range corpus(f) {
		f.Add(file.value, "")
		if file.reason == "" {
			m := binaryMode(f, string(file.value))
			var lines []string
			for _, h := range m.Headers {
				lines = append(lines, h.Key+": "+string(h.Value))
			}
			slices.Sort(lines)
			f.Add(m.Value, strings.Join(lines, "\n"))
		}
	}
	for _, c := range strictEdits() {
		if value := c.value(f); len(value) < 5_000 {
			f.Add([]byte(value), "")
		}
	}
	p := compileSchemas(f)
	f.Fuzz(func(t *testing.T, value []byte, lines string) {
		m := schemas.Message{Time: farStamp(), Value: value}
		for line := range strings.Lines(lines) {
			key, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			m.Headers = append(m.Headers, schemas.Header{Key: key, Value: []byte(text)})
		}
		e, reason := reasonOf(t, &m)
		if lines == "" {
			p.agree(t, value, reason)
		}
		if reason == "" {
			checkAccepted(t, &e)
		}
		AccountOf(value)
		TypeOf(value)
	})
}

// checkAccepted holds for every event that was ever accepted: its canonical
// form is a fixed point, and restores it.
func checkAccepted(t *testing.T, e *schemas.Event) {
	t.Helper()
	data := string(AppendData(nil, e))
	if e.Type != schemas.UsageRecorded {
		row := schemas.Event{
			Source: e.Source, ID: e.ID, Type: e.Type, AccountID: e.AccountID,
			ResourceID: e.ResourceID, Time: e.Time, Sequence: e.Sequence,
		}
		if err := SetData(&row, data); err != nil || !same(&row, e) {
			t.Errorf("%s gave %+v, want %+v: %v", data, row, e, err)
		}
	}
	subject := e.ResourceID
	if typeNamed(e.Type).ofAccount {
		subject = e.AccountID
	}
	m := schemas.Message{Time: farStamp(), Value: []byte(data), Headers: []schemas.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(e.ID)},
		{Key: "ce_source", Value: []byte(e.Source)},
		{Key: "ce_type", Value: []byte(e.Type)},
		{Key: "ce_subject", Value: []byte(subject)},
		{Key: "ce_time", Value: []byte(e.Time.Format(canonicalTime))},
	}}
	again, reason := reasonOf(t, &m)
	if again.Sequence = e.Sequence; reason != "" || !same(&again, e) || Content(&again) != Content(e) {
		t.Errorf("%s was read as %+v, want %+v: %s", data, again, e, reason)
	}
}

// FuzzSetData throws any text at the reader of stored rows: what it takes is
// what it would write.
func FuzzSetData(f *testing.F) {
	for _, file := range corpus(f) {
		if e, reason := reasonOf(f, &schemas.Message{Time: farStamp(), Value: file.value}); reason == "" {
			f.Add(string(e.Type), e.AccountID, string(AppendData(nil, &e)))
		}
	}
	f.Fuzz(func(t *testing.T, kind, account, data string) {
		e := schemas.Event{Type: schemas.Type(kind), AccountID: account}
		if err := SetData(&e, data); err == nil && data != "" && string(AppendData(nil, &e)) != data {
			t.Errorf("%s was taken for %s", data, AppendData(nil, &e))
		}
	})
}
