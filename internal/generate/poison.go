package generate

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"github.com/reckon-billing/reckon/schemas"
)

// fault is one way in which a line cannot be read as an event.
type fault struct {
	// reason is what ingest says of it.
	reason string
	make   func(e *schemas.Event, rng *rand.Rand) []byte
}

// swap writes a usage event with one piece of it replaced. It is an error of
// this package when the piece is not there; the tests read every fault.
func swap(piece, by string) func(*schemas.Event, *rand.Rand) []byte {
	return func(e *schemas.Event, _ *rand.Rand) []byte {
		return bytes.Replace(AppendEvent(nil, e), []byte(piece), []byte(by), 1)
	}
}

// valued writes a usage event with this as its value.
func valued(raw string) func(*schemas.Event, *rand.Rand) []byte {
	return func(e *schemas.Event, _ *rand.Rand) []byte {
		b := AppendEvent(nil, e)
		at := bytes.LastIndex(b, []byte(`"value":`)) + len(`"value":`)
		return append(b[:at], raw+"}}"...)
	}
}

// timed writes a usage event with this as its time.
func timed(raw string) func(*schemas.Event, *rand.Rand) []byte {
	return func(e *schemas.Event, _ *rand.Rand) []byte {
		b := AppendEvent(nil, e)
		at := bytes.Index(b, []byte(`,"time":"`)) + len(`,"time":"`)
		rest := bytes.IndexByte(b[at:], '"') + at
		return append(append(append([]byte(nil), b[:at]...), raw...), b[rest:]...)
	}
}

// ordered writes a creation with this list of items.
func ordered(raw string) func(*schemas.Event, *rand.Rand) []byte {
	return func(e *schemas.Event, _ *rand.Rand) []byte {
		c := *e
		c.Type, c.Mode = schemas.ResourceCreated, schemas.Postpaid
		c.ResourceName, c.Product, c.Service = "Máy chủ lỗi", "vServer", "Máy chủ ảo"
		b := AppendEvent(nil, &c)
		return append(b[:len(b)-2], `,"items":[`+raw+`]}}`...)
	}
}

// faults are all ways in which lines are poisoned. Each is made from a usage
// event that is whole.
func faults() []fault {
	const item = `{"item":"ram","unit":"GB","unit_price":33000`
	return []fault{
		{"not_json", func(e *schemas.Event, rng *rand.Rand) []byte { // a line cut off on its way
			b := AppendEvent(nil, e)
			return b[:1+rng.IntN(len(b)-1)]
		}},
		{"not_json", func(e *schemas.Event, rng *rand.Rand) []byte {
			return fmt.Appendf(nil, "%s ERROR vstorage[%d]: gửi lại bản ghi %s", e.Time.Format("15:04:05"), rng.IntN(9999), e.ID)
		}},
		{"invalid_utf8", swap(`"item":"`, "\"item\":\"\xff\xfe")},
		{"control_character", swap(`"item":"`, `"item":"\u0007`)},
		{"duplicate_name", swap(`"data":{`, `"data":{"value":0,`)},
		{"unknown_field", swap(`"value":`, `"valeu":1,"value":`)},
		{"missing_field", swap(`"id":`, `"identity":`)},
		{"bad_specversion", swap(`"specversion":"1.0"`, `"specversion":"0.3"`)},
		{"unknown_type", swap(`"type":"usage.recorded"`, `"type":"usage.recoded"`)},
		{"data_twice", swap(`"data":{`, `"data_base64":"e30=","data":{`)},
		{"bad_sequence", swap(`"data":{`, `"sequence":"9223372036854775808","data":{`)},
		{"negative_number", valued("-1")},
		{"null", valued("null")},
		{"wrong_type", valued("true")},
		{"not_a_number", valued(`"1,5"`)},
		{"too_many_decimals", valued("0.1234567891")},
		{"too_many_integer_digits", valued("123456789012345678901")},
		{"exponent_too_large", valued("1e31")},
		{"bad_time", timed("2026-10-01 10:00:00")},
		{"no_such_day", timed("2026-02-30T10:00:00Z")},
		{"leap_second", timed("2026-06-30T23:59:60Z")},
		{"time_out_of_range", timed("1999-12-31T23:59:59Z")},
		{"time_out_of_range", timed("2200-01-01T00:00:00Z")},
		{"no_items", ordered("")},
		{"missing_field", ordered(`{"item":"ram","unit":"GB","quantity":4}`)},
		{"quantity_or_meter", ordered(item + `,"quantity":4,"meter":"sum"}`)},
		{"unknown_field", ordered(item + `,"quantity":4,"discount_precent":10}`)},
		{"percent_too_large", ordered(item + `,"quantity":4,"discount_percent":100.5}`)},
		{"unknown_value", ordered(item + `,"meter":"median"}`)},
		{"per_use_without_meter", ordered(item + `,"quantity":4,"per":"use"}`)},
		{"free_quantity_without_meter", ordered(item + `,"quantity":4,"free_quantity":1}`)},
		{"duplicate_item", ordered(item + `,"quantity":4},` + item + `,"quantity":8}`)},
	}
}
