package codec

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

// wholeEvent has every attribute and field that a usage event may have.
const wholeEvent = `{"specversion":"1.0","id":"u-1","source":"/hcm","type":"usage.recorded","subject":"srv-1",` +
	`"time":"2026-10-01T10:00:00.250+07:00","sequence":17,"datacontenttype":"application/json","dataschema":"https://x",` +
	`"trace":"00-ab","sampled":true,"hop":-3,"data":{"account_id":"a\u00e9é","item":"traffic","value":5.50}}`

// packedEvent has its data in base64, which may begin and end anywhere.
const packedEvent = `{"specversion":"1.0","data_base64":"eyJhY2NvdW50X2lkIjoiYSIsIml0ZW0iOiJ4IiwidmFsdWUiOjEuNX0=","id":"u-1","source":"/hcm",` +
	`"type":"usage.recorded","subject":"srv-1","time":"2026-10-01T10:00:00Z","trace":null,"sequence":null}`

// resizedEvent ends with its list of items.
const resizedEvent = `{"specversion":"1.0","id":"r-1","source":"/hcm","type":"resource.resized","subject":"srv-1",` +
	`"time":"2026-10-01T10:00:00Z","data":{"account_id":"a","items":[{"item":"x","unit":"y","unit_price":1,"quantity":2}]}}`

// bothReadBinary reads a structured event's attributes with other data.
func bothReadBinary(t reporter, p *FastParser, m *schemas.Message, data string) {
	t.Helper()
	c := *m
	c.Value = []byte(data)
	bothRead(t, p, &c)
}

// telling are the bytes that mean something in an event.
const telling = "\x00\t\n\x1f !\"#+,-./0189:ABEFTZ[\\]_abefnrtuz{}\x7f\x80\x9f\xc2\xed\xff"

func TestTheFastParserAgreesWhateverByteIsAnother(t *testing.T) {
	p := newFast()
	for i := range len(wholeEvent) {
		for c := range 256 {
			value := []byte(wholeEvent)
			value[i] = byte(c)
			bothRead(t, p, structured(string(value)))
		}
	}
	for _, event := range []string{createdEvent, packedEvent} {
		for i := range len(event) {
			for _, c := range []byte(telling) {
				value := []byte(event)
				value[i] = c
				bothRead(t, p, structured(string(value)))
			}
		}
	}
}

func TestTheFastParserAgreesWhateverByteIsMissingOrTooMany(t *testing.T) {
	p := newFast()
	for _, event := range []string{wholeEvent, createdEvent, accountEvent, resizedEvent, packedEvent} {
		for i := range len(event) {
			before, after := event[:i], event[i:]
			bothRead(t, p, structured(before))
			bothRead(t, p, structured(after))
			bothRead(t, p, structured(before+after[1:]))
			for _, c := range []byte(telling) {
				bothRead(t, p, structured(before+string(c)+after))
			}
			for _, size := range []int{2, 3, 5, 9, 17, 33} {
				slice := after[:min(size, len(after))]
				bothRead(t, p, structured(before+slice+after))
				bothRead(t, p, structured(before+after[len(slice):]))
			}
		}
	}
}

func TestTheFastParserAgreesWhateverIsWrongInTheDataOfABinaryEvent(t *testing.T) {
	p := newFast()
	for _, event := range []string{wholeEvent, resizedEvent} {
		m := binaryMode(t, event)
		data := string(m.Value)
		for i := range len(data) {
			before, after := data[:i], data[i:]
			bothReadBinary(t, p, m, before)
			bothReadBinary(t, p, m, after)
			bothReadBinary(t, p, m, before+after[1:])
			for _, c := range []byte(telling) {
				bothReadBinary(t, p, m, before+string(c)+after)
				bothReadBinary(t, p, m, before+string(c)+after[1:])
			}
		}
	}
}

// mutate changes a text at a few random places: it flips bits, cuts, repeats,
// moves, and puts in what means something.
func mutate(t *rapid.T, value []byte) []byte {
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		if len(value) == 0 {
			return value
		}
		i := rapid.IntRange(0, len(value)-1).Draw(t, "at")
		j := min(len(value), i+rapid.IntRange(0, 40).Draw(t, "size"))
		k := rapid.IntRange(0, len(value)).Draw(t, "to")
		slice := bytes.Clone(value[i:j])
		switch rapid.IntRange(0, 4).Draw(t, "change") {
		case 0:
			value[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 1:
			value = slices.Delete(value, i, j)
		case 2:
			value = slices.Insert(value, k, slice...)
		case 3:
			copy(value[k:], slice)
		default:
			words := []string{
				`"`, `\"`, `\\`, `\/`, `\u00e9`, `\u0000`, `\ud83d\ude00`, `\ud83d`, "é", "€", "\u0085", "null", "true", "0", "00", "1e2", "-0", "-1",
				`{}`, `[]`, `,`, `,"x":1`, `"value":1,`, `"DATA":{},`, `"data_base64":"e30=",`, ` `, "\ufeff",
			}
			value = slices.Insert(value, i, []byte(rapid.SampledFrom(words).Draw(t, "word"))...)
		}
	}
	return value
}

func TestTheFastParserAgreesOnWhateverIsWrittenInWhateverWay(t *testing.T) {
	p := newFast()
	rapid.Check(t, func(rt *rapid.T) {
		e := drawEvent(rt)
		text := writer{rt}.event(&e)
		bothRead(rt, p, structured(text))
		m := binaryMode(t, text)
		bothRead(rt, p, m)
		for range 10 {
			bothRead(rt, p, structured(string(mutate(rt, []byte(text)))))
		}
		m.Value = mutate(rt, bytes.Clone(m.Value))
		if i := rapid.IntRange(0, len(m.Headers)-1).Draw(rt, "header"); rapid.Bool().Draw(rt, "header too") {
			m.Headers[i].Value = mutate(rt, m.Headers[i].Value)
		}
		bothRead(rt, p, m)
	})
}

// FuzzFastParserAgrees throws any bytes at both parsers, headers one a line as
// "key: value", with a Kafka timestamp in milliseconds, 0 for none.
func FuzzFastParserAgrees(f *testing.F) {
	far := farStamp().UnixMilli()
	add := func(m *schemas.Message) {
		var lines []string
		for _, h := range m.Headers {
			lines = append(lines, h.Key+": "+string(h.Value))
		}
		if len(m.Value) < 5_000 {
			f.Add(m.Value, strings.Join(lines, "\n"), far)
		}
	}
	for _, file := range corpus(f) {
		add(&schemas.Message{Value: file.value})
		if file.reason == "" {
			add(binaryMode(f, string(file.value)))
		}
	}
	for _, c := range allEdits() {
		add(structured(c.value(f)))
	}
	for _, c := range messageCases() {
		add(&c.message)
	}
	for _, event := range []string{wholeEvent, packedEvent, string(usageLoad(1)[0].Value), string(createdLoad(1)[0].Value)} {
		f.Add([]byte(event), "", int64(0))
		add(structured(event))
		add(binaryMode(f, event, schemas.Header{Key: "content-type", Value: []byte("application/json")}))
	}
	p := newFast()
	f.Fuzz(func(t *testing.T, value []byte, lines string, stamp int64) {
		m := schemas.Message{Value: value}
		if stamp != 0 {
			m.Time = time.UnixMilli(stamp).UTC()
		}
		for line := range strings.Lines(lines) {
			key, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			m.Headers = append(m.Headers, schemas.Header{Key: key, Value: []byte(text)})
		}
		bothRead(t, p, &m)
	})
}
