package codec

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// binaryMode makes the message that carries the same event in binary mode.
func binaryMode(t testing.TB, event string, more ...schemas.Header) *schemas.Message {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(event), &members); err != nil {
		t.Fatal(err)
	}
	m := schemas.Message{Time: farStamp(), Value: members["data"]}
	for name, raw := range members {
		switch {
		case name == "data":
			continue
		case string(raw) == "null":
			m.Headers = append(m.Headers, schemas.Header{Key: "ce_" + name})
			continue
		case name == "data_base64":
			if err := json.Unmarshal(raw, &m.Value); err != nil {
				t.Fatal(err)
			}
			continue
		}
		text := string(raw)
		if raw[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				t.Fatal(err)
			}
		}
		m.Headers = append(m.Headers, schemas.Header{Key: "ce_" + name, Value: []byte(text)})
	}
	m.Headers = append(m.Headers, more...)
	return &m
}

func TestABinaryEventIsReadAsTheStructuredOneIs(t *testing.T) {
	for _, f := range corpus(t) {
		if f.reason != "" {
			continue
		}
		want, reason := reasonOf(t, &schemas.Message{Time: farStamp(), Value: f.value})
		if reason != "" {
			t.Fatal(f.name, reason)
		}
		for _, more := range [][]schemas.Header{nil, {{Key: "content-type", Value: []byte("application/json")}}, {{Key: "trace", Value: []byte{0xff}}}} {
			got, reason := reasonOf(t, binaryMode(t, string(f.value), more...))
			if reason != "" || !same(&got, &want) {
				t.Errorf("%s: %+v %s, want %+v", f.name, got, reason, want)
			}
		}
	}
}

func TestBinaryEventsAreReadStrictly(t *testing.T) {
	header := func(key, value string) []schemas.Header { return []schemas.Header{{Key: key, Value: []byte(value)}} }
	for _, c := range []struct {
		name   string
		drop   string
		add    []schemas.Header
		value  string
		reason string
	}{
		{"an extension of any text", "", header("ce_trace", "ü €"), "", ""},
		{"an empty extension", "", header("ce_trace", ""), "", ""},
		{"a sequence", "", header("ce_sequence", "17"), "", ""},
		{"a sequence with a sign", "", header("ce_sequence", "+17"), "", RejectBadSequence},
		{"no percent-decoding", "ce_id", header("ce_id", "%41"), "", ""},
		{"no id", "ce_id", nil, "", RejectMissingField},
		{"an empty id", "ce_id", header("ce_id", ""), "", RejectEmptyText},
		{"a long id", "ce_id", header("ce_id", strings.Repeat("x", 257)), "", RejectTextTooLong},
		{"another specversion", "ce_specversion", header("ce_specversion", "1"), "", RejectBadSpecVersion},
		{"an id that is not UTF-8", "ce_id", header("ce_id", "\xff"), "", RejectInvalidUTF8},
		{"an id with a line break", "ce_id", header("ce_id", "a\nb"), "", RejectControlCharacter},
		{"an extension that is not UTF-8", "", header("ce_trace", "\xc3"), "", RejectInvalidUTF8},
		{"an extension with a C1 control", "", header("ce_trace", "\u0090"), "", RejectControlCharacter},
		{"an id that is written backwards", "ce_id", header("ce_id", "a\u202e1"), "", RejectControlCharacter},
		{"a content type that is written backwards", "", header("content-type", "a/json;x=\u2067"), "", RejectBadContentType},
		{"an extension in capitals", "", header("ce_Trace", "x"), "", RejectBadAttributeName},
		{"an extension without a name", "", header("ce_", "x"), "", RejectBadAttributeName},
		{"an attribute named data", "", header("ce_data", "{}"), "", RejectBadAttributeName},
		{"data_base64", "", header("ce_data_base64", "e30="), "", RejectDataTwice},
		{"an id without a value", "ce_id", []schemas.Header{{Key: "ce_id"}}, "", RejectMissingField},
		{"a version without a value", "ce_specversion", []schemas.Header{{Key: "ce_specversion"}}, "", RejectMissingField},
		{"a dataschema without a value", "", []schemas.Header{{Key: "ce_dataschema"}}, "", ""},
		{"an extension without a value", "", []schemas.Header{{Key: "ce_trace"}}, "", ""},
		{"a content type without a value", "", []schemas.Header{{Key: "content-type"}}, "", ""},
		{"an empty content type", "", header("content-type", ""), "", RejectBadContentType},
		{"a header without a value twice", "", []schemas.Header{{Key: "ce_trace"}, {Key: "ce_trace"}}, "", RejectDuplicateHeader},
		{"a header twice", "", header("ce_id", "u-1"), "", RejectDuplicateHeader},
		{"JSON of another kind", "", header("content-type", "application/vnd.x+json;v=1"), "", ""},
		{"Avro", "", header("content-type", "application/avro"), "", RejectBadContentType},
		{"a content type that is not UTF-8", "", header("content-type", "a/json;\xff"), "", RejectBadContentType},
		{"a datacontenttype that is not JSON", "", header("ce_datacontenttype", "text/plain"), "", RejectBadDataContentType},
		{"a value that is no object", "", nil, `[]`, RejectWrongType},
		{"a value that is null", "", nil, `null`, RejectNull},
		{"a value that is cut", "", nil, `{"account_id":"acc-1"`, RejectNotJSON},
		{"a value with more behind", "", nil, `{} {}`, RejectNotJSON},
		{"a value with a name twice", "", nil, `{"item":"a","item":"a"}`, RejectDuplicateName},
		{"a value that is not UTF-8", "", nil, "{\"item\":\"\xff\"}", RejectInvalidUTF8},
		{"a structured event as data", "", nil, usageEvent, RejectUnknownField},
		{"the structured type on what is not one", "", header("content-type", "application/cloudevents+json"), "", RejectMissingField},
		{"a batch of events", "", header("content-type", "application/cloudevents-batch+json"), `[` + usageEvent + `]`, RejectWrongType},
		{"no ce_specversion makes it structured", "ce_specversion", nil, "", RejectMissingField},
		{"the prefix in capitals is no attribute", "", header("CE_id", "x"), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := binaryMode(t, usageEvent, c.add...)
			if c.drop != "" {
				i := slices.IndexFunc(m.Headers, func(h schemas.Header) bool { return h.Key == c.drop })
				m.Headers = slices.Delete(m.Headers, i, i+1)
			}
			if c.value != "" {
				m.Value = []byte(c.value)
			}
			if _, got := reasonOf(t, m); got != c.reason {
				t.Errorf("%q, want %q", got, c.reason)
			}
		})
	}
}

func TestManyHeadersAreReadInTime(t *testing.T) {
	m := binaryMode(t, usageEvent)
	for i := range 100_000 {
		m.Headers = append(m.Headers, schemas.Header{Key: "ce_x" + strings.Repeat("y", i%7) + string(rune('a'+i%26)), Value: nil})
	}
	if _, got := reasonOf(t, m); got != RejectDuplicateHeader {
		t.Errorf("%q", got)
	}
}
