package codec

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/shopspring/decimal"
)

// errNotCanonical is what a stored row is that AppendData did not write.
var errNotCanonical = errors.New("not canonical data")

// SetData restores the fields of data from what AppendData wrote for the store.
// Type, AccountID and Time must be set, and all fields of a lifecycle event's
// data are written over. A usage event's Item and Value have columns of their
// own: its data must be empty, and the event stays as it is.
//
// It takes exactly the bytes that AppendData writes for some valid event and
// nothing else, so that a damaged row is an error, never another value; the
// event is then left as it was. Only that a coupon's value is in whole minor
// units it cannot know. The texts of the event share the memory of data.
func SetData(e *schemas.Event, data string) error {
	if e.Type == schemas.UsageRecorded {
		if data != "" {
			return fmt.Errorf("usage event with data %s: %w", quote(data), errNotCanonical)
		}
		return nil
	}
	x := schemas.Event{
		Source: e.Source, ID: e.ID, Type: e.Type, AccountID: e.AccountID,
		ResourceID: e.ResourceID, Time: e.Time, Sequence: e.Sequence,
	}
	r := canonicalReader{rest: data}
	r.event(&x)
	if r.bad || r.rest != "" {
		return fmt.Errorf("%s of account %s at byte %d of %s: %w",
			e.Type, quote(e.AccountID), len(data)-len(r.rest), quote(data), errNotCanonical)
	}
	*e = x
	return nil
}

// canonicalReader reads canonical data from its beginning. Once it is bad it
// stays so.
type canonicalReader struct {
	rest string
	bad  bool
}

func (r *canonicalReader) event(e *schemas.Event) {
	required, optional, ok := dataFields(e.Type)
	r.bad = !ok
	r.must(`{"account_id":`)
	r.check(r.text() == e.AccountID)
	if required.has(fieldResourceName) {
		r.must(`,"resource_name":`)
		e.ResourceName = r.text()
		r.must(`,"product":`)
		e.Product = r.text()
		r.must(`,"service":`)
		e.Service = r.text()
	}
	if r.field(required, optional, fieldMode, `,"mode":`) {
		e.Mode = schemas.Mode(r.text())
		r.check(e.Mode == schemas.Prepaid || e.Mode == schemas.Postpaid)
	}
	if r.field(required, optional, fieldItems, `,"items":`) {
		e.Items = r.items()
	}
	if r.field(required, optional, fieldCoupon, `,"coupon":`) {
		e.Coupon = r.coupon()
	}
	if r.field(required, optional, fieldExpiresAt, `,"expires_at":`) {
		e.ExpiresAt = r.time()
		r.check(e.ExpiresAt.After(e.Time))
	}
	if optional.has(fieldAutoRenew) {
		e.AutoRenew = r.eat(`,"auto_renew":true`)
		if !e.AutoRenew {
			r.must(`,"auto_renew":false`)
		}
	}
	r.check(e.Type != schemas.ResourceCreated || e.Mode != schemas.Prepaid || !e.ExpiresAt.IsZero())
	r.must("}")
}

// field tells whether a field comes next, which it must if it is required.
func (r *canonicalReader) field(required, optional fieldSet, f field, key string) bool {
	if required.has(f) {
		r.must(key)
		return true
	}
	return optional.has(f) && r.eat(key)
}

func (r *canonicalReader) items() []schemas.Item {
	n := strings.Count(r.rest, `,"unit_price":`)
	r.check(n > 0)
	items := make([]schemas.Item, 0, min(n, maxItems))
	r.must("[")
	for !r.bad {
		it := r.item()
		r.check(len(items) < maxItems && !hasItem(items, it.Name))
		items = append(items, it)
		if !r.eat(",") {
			break
		}
	}
	r.must("]")
	return items
}

func (r *canonicalReader) item() (it schemas.Item) {
	r.must(`{"item":`)
	it.Name = r.text()
	r.must(`,"unit":`)
	it.Unit = r.text()
	r.must(`,"unit_price":`)
	it.UnitPrice = r.number(maxDecimals)
	if r.eat(`,"quantity":`) {
		it.Quantity = r.number(maxDecimals)
	} else {
		r.must(`,"meter":`)
		it.Meter = schemas.Meter(r.text())
		r.check(isMeter(it.Meter))
	}
	r.must(`,"per":`)
	it.Per = schemas.Per(r.text())
	r.check(it.Per.Minutes() > 0 || (it.Per == schemas.PerUse && it.Meter != schemas.NoMeter))
	r.must(`,"discount_percent":`)
	it.DiscountPercent = r.percent()
	r.must(`,"tax_percent":`)
	it.TaxPercent = r.percent()
	if it.Meter != schemas.NoMeter {
		r.must(`,"free_quantity":`)
		it.FreeQuantity = r.number(maxDecimals)
	}
	r.must("}")
	return it
}

// known tells whether it is one of the eight meters.
func isMeter(m schemas.Meter) bool {
	switch m {
	case schemas.Sum, schemas.Count, schemas.Max, schemas.Min, schemas.Last, schemas.Avg, schemas.Unique, schemas.TimeWeighted:
		return true
	case schemas.NoMeter:
	}
	return false
}

func (r *canonicalReader) coupon() *schemas.Coupon {
	r.must(`{"code":`)
	code := r.text()
	r.must(`,"value":`)
	value := r.number(maxDecimals)
	r.check(!value.IsZero())
	r.must("}")
	return &schemas.Coupon{Code: code, Value: value}
}

func (r *canonicalReader) check(ok bool) { r.bad = r.bad || !ok }

// eat takes what comes next if it is the literal.
func (r *canonicalReader) eat(literal string) bool {
	if r.bad || !strings.HasPrefix(r.rest, literal) {
		return false
	}
	r.rest = r.rest[len(literal):]
	return true
}

func (r *canonicalReader) must(literal string) { r.check(r.eat(literal)) }

// quoted takes what stands between two quotes; escapes tells whether a quote or
// a backslash in it was escaped.
func (r *canonicalReader) quoted() (s string, escapes bool) {
	if r.must(`"`); r.bad {
		return "", false
	}
	for i := 0; i < len(r.rest); i++ {
		switch r.rest[i] {
		case '"':
			s, r.rest = r.rest[:i], r.rest[i+1:]
			return s, escapes
		case '\\':
			escapes = true
			i++
			r.check(i < len(r.rest) && (r.rest[i] == '"' || r.rest[i] == '\\'))
		}
	}
	r.bad = true
	return "", false
}

func (r *canonicalReader) text() string {
	s, escapes := r.quoted()
	if escapes {
		s = unescape(s)
	}
	r.check(s != "" && len(s) <= maxTextBytes && !hasControl(s) && utf8.ValidString(s))
	return s
}

// unescape drops the backslash before each escaped quote and backslash.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// number takes a plain decimal as FormatDecimal writes it.
func (r *canonicalReader) number(decimals int) decimal.Decimal {
	s, _ := r.quoted()
	d, reason := parseDecimal(s, decimals)
	r.check(reason == "" && strings.IndexByte(s, 'e') < 0 && strings.IndexByte(s, 'E') < 0)
	r.check(strings.IndexByte(s, '.') < 0 || s[len(s)-1] != '0')
	return d
}

func (r *canonicalReader) percent() decimal.Decimal {
	d := r.number(maxPercentDecimals)
	r.check(!d.GreaterThan(hundred()))
	return d
}

func (r *canonicalReader) time() time.Time {
	s, _ := r.quoted()
	t, reason := parseTime(s)
	r.check(reason == "" && len(s) == len(canonicalTime) && s[10] == 'T' && s[len(s)-1] == 'Z')
	return t
}
