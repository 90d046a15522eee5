package generate

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// AppendEvent writes an event as structured CloudEvents JSON, on one line, its
// defaults left out. Reading it back gives the same event.
func AppendEvent(b []byte, e *schemas.Event) []byte {
	b = append(b, `{"specversion":"1.0","id":`...)
	b = appendText(b, e.ID)
	b = append(b, `,"source":`...)
	b = appendText(b, e.Source)
	b = append(b, `,"type":"`...)
	b = append(b, e.Type...)
	b = append(b, `","subject":`...)
	b = appendText(b, subject(e))
	b = append(b, `,"time":"`...)
	b = appendTime(b, e.Time)
	b = append(b, '"')
	if e.Sequence != 0 {
		b = append(b, `,"sequence":"`...)
		b = strconv.AppendInt(b, e.Sequence, 10)
		b = append(b, '"')
	}
	b = append(b, `,"data":{"account_id":`...)
	b = appendText(b, e.AccountID)
	b = appendData(b, e)
	return append(b, "}}"...)
}

// subject is the resource, or the account of account.* events.
func subject(e *schemas.Event) string {
	if e.Type == schemas.AccountModeChanged {
		return e.AccountID
	}
	return e.ResourceID
}

// appendData writes the fields of data that are set, but for account_id.
func appendData(b []byte, e *schemas.Event) []byte {
	if e.Type == schemas.UsageRecorded {
		b = append(b, `,"item":`...)
		b = appendText(b, e.Item)
		b = append(b, `,"value":`...)
		return appendNumber(b, e.Value)
	}
	if e.Mode != "" {
		b = append(b, `,"mode":"`...)
		b = append(b, e.Mode...)
		b = append(b, '"')
	}
	if e.Type == schemas.ResourceCreated {
		b = append(b, `,"resource_name":`...)
		b = appendText(b, e.ResourceName)
		b = append(b, `,"product":`...)
		b = appendText(b, e.Product)
		b = append(b, `,"service":`...)
		b = appendText(b, e.Service)
	}
	if !e.ExpiresAt.IsZero() {
		b = append(b, `,"expires_at":"`...)
		b = appendTime(b, e.ExpiresAt)
		b = append(b, '"')
	}
	if e.AutoRenew {
		b = append(b, `,"auto_renew":true`...)
	}
	if e.Coupon != nil {
		b = append(b, `,"coupon":{"code":`...)
		b = appendText(b, e.Coupon.Code)
		b = append(b, `,"value":`...)
		b = appendNumber(b, e.Coupon.Value)
		b = append(b, '}')
	}
	if e.Items != nil {
		b = append(b, `,"items":[`...)
		for i := range e.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendItem(b, &e.Items[i])
		}
		b = append(b, ']')
	}
	return b
}

func appendItem(b []byte, i *schemas.Item) []byte {
	b = append(b, `{"item":`...)
	b = appendText(b, i.Name)
	b = append(b, `,"unit":`...)
	b = appendText(b, i.Unit)
	b = append(b, `,"unit_price":`...)
	b = appendNumber(b, i.UnitPrice)
	if i.Meter == schemas.NoMeter {
		b = append(b, `,"quantity":`...)
		b = appendNumber(b, i.Quantity)
	} else {
		b = append(b, `,"meter":"`...)
		b = append(b, i.Meter...)
		b = append(b, '"')
	}
	if i.Per != schemas.Per30d {
		b = append(b, `,"per":"`...)
		b = append(b, i.Per...)
		b = append(b, '"')
	}
	for _, f := range []struct {
		name  string
		value decimal.Decimal
	}{
		{`,"discount_percent":`, i.DiscountPercent},
		{`,"tax_percent":`, i.TaxPercent},
		{`,"free_quantity":`, i.FreeQuantity},
	} {
		if !f.value.IsZero() {
			b = append(b, f.name...)
			b = appendNumber(b, f.value)
		}
	}
	return append(b, '}')
}

// appendTime writes the instant in UTC with milliseconds.
func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// appendNumber writes a number that is not negative, plainly.
func appendNumber(b []byte, n decimal.Decimal) []byte {
	places := -int(n.Exponent())
	if n.NumDigits() > 18 || places < 0 {
		return append(b, n.String()...)
	}
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], n.CoefficientInt64(), 10)
	if places == 0 {
		return append(b, text...)
	}
	if len(text) <= places {
		b = append(b, "0."...)
		for range places - len(text) {
			b = append(b, '0')
		}
		return append(b, text...)
	}
	b = append(b, text[:len(text)-places]...)
	b = append(b, '.')
	return append(b, text[len(text)-places:]...)
}

// appendText writes a JSON string. The text is valid UTF-8 without control
// characters, so only two characters need escaping.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
