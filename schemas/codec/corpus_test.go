package codec

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/reckon-billing/reckon/schemas"
)

// The tests' installation and the Kafka timestamp of their messages, which is
// late enough for every time but those that a case is about.
func vnd() schemas.Currency { return schemas.Currency{Code: "VND"} }
func farStamp() time.Time   { return time.Date(2199, 12, 31, 23, 59, 0, 0, time.UTC) }

func structured(value string) *schemas.Message {
	return &schemas.Message{Time: farStamp(), Value: []byte(value)}
}

// reasonOf parses a message and checks what holds for every error: it is a
// *Rejection of a known reason with a short, readable detail.
func reasonOf(t reporter, m *schemas.Message) (schemas.Event, string) {
	t.Helper()
	e, err := Parser{Currency: vnd()}.Parse(m)
	if err == nil {
		return e, ""
	}
	var r *schemas.Rejection
	if !errors.As(err, &r) || !errors.Is(err, schemas.ErrInvalid) {
		t.Fatalf("the error %v is not a rejection", err)
	}
	known := false
	for _, reason := range Reasons() {
		known = known || reason.Reason == r.Reason
	}
	if !known {
		t.Errorf("reason %q is not in the list", r.Reason)
	}
	if r.Detail == "" || len(r.Detail) > 1024 || !utf8.ValidString(r.Detail) || strings.ContainsAny(r.Detail, "\n\x00") {
		t.Errorf("%s: detail %q is not short, printable text", r.Reason, r.Detail)
	}
	if e.ID != "" || e.Items != nil {
		t.Errorf("%s: a rejected message gave an event too", r.Reason)
	}
	return e, r.Reason
}

// corpusFile is a structured event of testdata/events; a rejected one is named
// for its reason.
type corpusFile struct {
	name, reason string
	value        []byte
}

func corpus(t testing.TB) (files []corpusFile) {
	t.Helper()
	for _, folder := range []string{"valid", "rejected"} {
		paths, err := filepath.Glob("testdata/events/" + folder + "/*.json")
		if err != nil || len(paths) < 10 {
			t.Fatalf("%d files in %s: %v", len(paths), folder, err)
		}
		for _, path := range paths {
			value, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f := corpusFile{name: path, value: value}
			if folder == "rejected" {
				f.reason = strings.TrimSuffix(filepath.Base(path), ".json")
			}
			files = append(files, f)
		}
	}
	return files
}

func TestEveryFileOfTheCorpusIsAcceptedOrRejectedForTheReasonInItsName(t *testing.T) {
	for _, f := range corpus(t) {
		if _, got := reasonOf(t, &schemas.Message{Time: farStamp(), Value: f.value}); got != f.reason {
			t.Errorf("%s: %q, want %q", f.name, got, f.reason)
		}
	}
}

func TestEveryReasonIsSortedExplainedAndHasACaseThatShowsIt(t *testing.T) {
	shown := map[string]bool{}
	for _, f := range corpus(t) {
		shown[f.reason] = true
	}
	for _, c := range messageCases() {
		shown[c.reason] = true
	}
	last := ""
	for _, r := range Reasons() {
		if r.Reason <= last || !strings.HasSuffix(r.Sentence, ".") {
			t.Errorf("%q is out of order or has no sentence", r.Reason)
		}
		if !shown[r.Reason] {
			t.Errorf("no case shows %q", r.Reason)
		}
		last = r.Reason
	}
}

// messageCase is a message that is rejected for what is not in its value, with
// a value that is a valid event.
type messageCase struct {
	name, reason string
	message      schemas.Message
}

func messageCases() []messageCase {
	good := []byte(createdEvent)
	header := func(pairs ...string) (h []schemas.Header) {
		for i := 0; i < len(pairs); i += 2 {
			h = append(h, schemas.Header{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return h
	}
	at := func(text string) time.Time {
		stamp, _ := time.Parse(time.RFC3339Nano, text)
		return stamp
	}
	return []messageCase{
		{"a message without a timestamp", RejectNoTimestamp, schemas.Message{Value: good}},
		{
			"an event more than ten minutes ahead of its timestamp", RejectTimeInFuture,
			schemas.Message{Value: good, Time: at("2026-10-01T02:49:59.999Z")},
		},
		{"an event exactly ten minutes ahead of its timestamp", "", schemas.Message{Value: good, Time: at("2026-10-01T02:50:00Z")}},
		{"a tombstone", RejectNoValue, schemas.Message{Time: farStamp()}},
		{"an empty value", RejectNotJSON, schemas.Message{Time: farStamp(), Value: []byte{}}},
		{
			"a value of a byte more than 1 MiB", RejectTooLarge,
			schemas.Message{Time: farStamp(), Value: append(bytes.Repeat([]byte(" "), schemas.MaxEventBytes+1-len(good)), good...)},
		},
		{
			"the head of a message that is too large to be held (O4)", RejectTooLarge,
			schemas.Message{Time: farStamp(), Value: good, Omitted: 1},
		},
		{
			"a value of 1 MiB", "",
			schemas.Message{Time: farStamp(), Value: append(bytes.Repeat([]byte(" "), schemas.MaxEventBytes-len(good)), good...)},
		},
		{
			"content-type twice, even if equal", RejectDuplicateHeader,
			schemas.Message{Time: farStamp(), Value: good, Headers: header("content-type", "application/json", "content-type", "application/json")},
		},
		{
			"a ce_ header twice, also in structured mode", RejectDuplicateHeader,
			schemas.Message{Time: farStamp(), Value: good, Headers: header("ce_id", "1", "ce_id", "1")},
		},
		{"another header twice", "", schemas.Message{Time: farStamp(), Value: good, Headers: header("trace", "1", "trace", "2")}},
		{
			"a structured event under text/plain", RejectBadContentType,
			schemas.Message{Time: farStamp(), Value: good, Headers: header("content-type", "text/plain")},
		},
		{
			"a structured event under an empty content-type", RejectBadContentType,
			schemas.Message{Time: farStamp(), Value: good, Headers: header("content-type", "")},
		},
		{
			"a structured event under the structured type", "",
			schemas.Message{Time: farStamp(), Value: good, Headers: header("content-type", "application/cloudevents+json; charset=UTF-8")},
		},
		{
			"a structured event under application/json", "",
			schemas.Message{Time: farStamp(), Value: good, Headers: header("content-type", "application/json")},
		},
		{
			"a structured type wins over ce_specversion, whatever its case", "",
			schemas.Message{Time: farStamp(), Value: good, Headers: header("ce_specversion", "0.3", "content-type", "Application/CloudEvents+JSON")},
		},
	}
}

func TestWhatIsNotInTheValueIsCheckedToo(t *testing.T) {
	for _, c := range messageCases() {
		t.Run(c.name, func(t *testing.T) {
			if _, got := reasonOf(t, &c.message); got != c.reason {
				t.Errorf("%q, want %q", got, c.reason)
			}
		})
	}
}

func TestAReplayReadsEventsBeforeTheyHaveATimestamp(t *testing.T) {
	p := Parser{Currency: vnd()}
	for _, c := range messageCases() {
		_, dated := p.Parse(&c.message)
		_, undated := p.ParseUndated(&c.message)
		if c.reason == RejectNoTimestamp || c.reason == RejectTimeInFuture {
			if undated != nil {
				t.Errorf("%s: %v without its timestamp", c.name, undated)
			}
		} else if (dated == nil) != (undated == nil) {
			t.Errorf("%s: %v with its timestamp, %v without", c.name, dated, undated)
		}
	}
}
