package codec

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

func newFast() *FastParser { return NewFastParser(Parser{Currency: vnd()}) }

// bothRead reads a message with both parsers, checks that they agree on
// everything, and tells whether the fast one took it without the other's help.
func bothRead(t reporter, p *FastParser, m *schemas.Message) (fast bool) {
	t.Helper()
	want, wantErr := p.Parser.Parse(m)
	// An event that shared the message's memory would be gone with it.
	c := schemas.Message{Time: m.Time, Value: bytes.Clone(m.Value), Headers: slices.Clone(m.Headers), Omitted: m.Omitted}
	for i := range c.Headers {
		c.Headers[i].Value = bytes.Clone(c.Headers[i].Value)
	}
	unsure := p.Unsure
	got, gotErr := p.Parse(&c)
	for _, h := range c.Headers {
		clear(h.Value)
	}
	clear(c.Value)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotErr, wantErr) {
		t.Fatalf("value %.900q headers %q: %+v %v, want %+v %v", m.Value, m.Headers, got, gotErr, want, wantErr)
	}
	return p.Unsure == unsure
}

func allEdits() []edit {
	return slices.Concat(strictEdits(), fastEdits())
}

// slowEdits names the accepted cases that are so unusual that the strict parser
// reads them.
func slowEdits() []string {
	return []string{
		"a sequence with leading zeros",
		"a known name with an escape in it",
		"an extension with an escape in its name",
		"seventeen extensions",
	}
}

func TestTheFastParserAgreesAndSeldomFallsBack(t *testing.T) {
	p := newFast()
	for _, f := range corpus(t) {
		modes := []*schemas.Message{{Time: farStamp(), Value: f.value}}
		if f.reason == "" {
			modes = append(modes, binaryMode(t, string(f.value)))
		}
		for _, m := range modes {
			if fast := bothRead(t, p, m); fast != (f.reason == "") {
				t.Errorf("%s: fast is %v", f.name, fast)
			}
		}
	}
	for _, c := range allEdits() {
		m := structured(c.value(t))
		if _, reason := reasonOf(t, m); reason != c.reason {
			t.Errorf("%s: %q, want %q", c.name, reason, c.reason)
		}
		if fast := bothRead(t, p, m); fast != (c.reason == "" && !slices.Contains(slowEdits(), c.name)) {
			t.Errorf("%s: fast is %v", c.name, fast)
		}
	}
	for _, c := range messageCases() {
		bothRead(t, p, &c.message)
	}
}

func TestWhatProductsWriteNeverFallsBack(t *testing.T) {
	p := newFast()
	usage, created := usageLoad(2000), createdLoad(200)
	messages := slices.Concat(usage, created)
	for i := range usage {
		messages = append(messages, *binaryMode(t, string(usage[i].Value), schemas.Header{Key: "content-type", Value: []byte("application/json; charset=utf-8")}))
	}
	for i := range created {
		messages = append(messages, *binaryMode(t, string(created[i].Value), schemas.Header{Key: "trace", Value: []byte{0xFF}}))
	}
	for i := range messages {
		bothRead(t, p, &messages[i])
		// With the spaces that Python's json writes, and broken over lines.
		spaced := messages[i]
		for _, space := range []string{" ", "\n\t", "\r\n      "} {
			spaced.Value = bytes.ReplaceAll(messages[i].Value, []byte(`":`), []byte(`"`+space+":"+space))
			spaced.Value = bytes.ReplaceAll(spaced.Value, []byte(`,"`), []byte(space+`,`+space+`"`))
			bothRead(t, p, &spaced)
		}
	}
	if p.Unsure > 0 {
		t.Errorf("%d of %d fell back", p.Unsure, 4*len(messages))
	}
}

func TestWhatFallsBackIsCounted(t *testing.T) {
	p := newFast()
	_, err := p.Parse(structured(`{}`))
	var r *schemas.Rejection
	if !errors.As(err, &r) || r.Reason != RejectMissingField || p.Unsure != 1 {
		t.Errorf("%v, %d fell back", err, p.Unsure)
	}
	if _, err := p.Parse(structured(usageEvent)); err != nil || p.Unsure != 1 {
		t.Errorf("%v, %d fell back", err, p.Unsure)
	}
}

func TestEarlierEventsStayWhenLaterOnesAreRead(t *testing.T) {
	p := newFast()
	messages := slices.Concat(usageLoad(3000), createdLoad(1000))
	events := make([]schemas.Event, len(messages))
	for i := range messages {
		events[i], _ = p.Parse(&messages[i])
	}
	for i := range messages {
		if want, _ := p.Parser.Parse(&messages[i]); !reflect.DeepEqual(events[i], want) {
			t.Fatalf("%+v, want %+v", events[i], want)
		}
	}
}

func TestTheFastParserLooksAtTheKafkaTimestamp(t *testing.T) {
	at := time.Date(2026, 10, 1, 3, 0, 0, 0, time.UTC)
	p := newFast()
	for _, c := range []struct {
		stamp time.Time
		fast  bool
	}{
		{time.Time{}, false},
		{at.Add(-10*time.Minute - time.Millisecond), false},
		{at.Add(-10 * time.Minute), true},
		{at.In(time.FixedZone("", 7*3600)), true},
		{time.Unix(0, 0), false},
	} {
		m := structured(usageEvent)
		if m.Time = c.stamp; bothRead(t, p, m) != c.fast {
			t.Errorf("at %v fast is not %v", c.stamp, c.fast)
		}
	}
}

func TestTheFastParserKnowsItsCurrency(t *testing.T) {
	for digits := range int32(4) {
		p := NewFastParser(Parser{Currency: schemas.Currency{Code: "XXX", Digits: digits}})
		for _, value := range []string{"1", "1.5", `"1.25"`, "1.250", "0.125", "0.0001", "0", "0.000", "1e-2", "99999999999999999999"} {
			bothRead(t, p, structured(strings.Replace(createdEvent, "20000", value, 1)))
		}
	}
}

func TestHeadersAreReadAsTheStrictParserReadsThem(t *testing.T) {
	names := []string{"content-type", "Content-Type", "ce_specversion", "ce_id", "ce_ID", "ce_", "ce_data", "ce_data_base64", "ce_x", "ce_x_y", "trace"}
	texts := []string{
		"1.0", "", "x", `"quoted" \`, "máy", "\xff", "a\x7f", "\u0085", "application/json", "application/JSON;charset=x", "text/plain",
		"application/cloudevents+json", "Application/CloudEvents-batch+json", "application/cloudevents", strings.Repeat("x", 257),
	}
	p := newFast()
	for _, name := range names {
		for _, text := range texts {
			h := schemas.Header{Key: name, Value: []byte(text)}
			bothRead(t, p, binaryMode(t, usageEvent, h))
			bothRead(t, p, binaryMode(t, usageEvent, h, h))
			bothRead(t, p, binaryMode(t, usageEvent, schemas.Header{Key: "content-type", Value: []byte("a/b+json")}, h))
			bothRead(t, p, &schemas.Message{Time: farStamp(), Value: []byte(usageEvent), Headers: []schemas.Header{h}})
			bothRead(t, p, &schemas.Message{Time: farStamp(), Value: []byte(usageEvent), Headers: []schemas.Header{h, h}})
		}
		bothRead(t, p, binaryMode(t, usageEvent, schemas.Header{Key: name, Value: nil}))
	}
	for _, n := range []int{24, 25, 26, 40} {
		m := binaryMode(t, usageEvent)
		for i := range n {
			m.Headers = append(m.Headers, schemas.Header{Key: fmt.Sprintf("ce_x%d", i), Value: nil})
		}
		if fast := bothRead(t, p, m); fast != (len(m.Headers) <= maxFastHeaders) {
			t.Errorf("%d headers: fast is %v", len(m.Headers), fast)
		}
	}
}

func TestAUsageEventCostsTheAllocationsOfItsValueOnly(t *testing.T) {
	p, messages, i := newFast(), usageLoad(5000), 0
	// big.Int and its digits; blocks of text are rounded away.
	if n := testing.AllocsPerRun(len(messages)-1, func() { _, _ = p.Parse(&messages[i]); i++ }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}
