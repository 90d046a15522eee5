package generate

import (
	"math/rand/v2"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// speller writes an event in other words that mean the same: other order and
// spaces, numbers as text or with zeros, times in the zone's offset and with
// more digits than are kept, defaults filled in, attributes that nobody uses.
type speller struct{ rng *rand.Rand }

func (s speller) event(e *schemas.Event) []byte {
	b := append(make([]byte, 0, 512), `{ "data" : {`...)
	b = s.data(b, e)
	b = append(b, `} ,"datacontenttype":"application/json", "time":"`...)
	b = append(b, e.Time.UTC().Format("2006-01-02T15:04:05.000")...)
	b = strconv.AppendInt(b, 1+s.rng.Int64N(9), 10) // a digit beyond the milliseconds
	b = append(b, `+00:00", "sequence": `...)
	if s.rng.IntN(2) == 0 {
		b = append(b, '"')
		b = strconv.AppendInt(b, e.Sequence, 10)
		b = append(b, '"')
	} else {
		b = strconv.AppendInt(b, e.Sequence, 10)
	}
	b = append(b, `,"subject": `...)
	b = s.text(b, subject(e))
	b = append(b, `,"source": `...)
	b = s.text(b, e.Source)
	b = append(b, `,"id": `...)
	b = s.text(b, e.ID)
	b = append(b, `,"traceparent":"00-`...)
	b = strconv.AppendUint(b, s.rng.Uint64(), 16)
	b = append(b, `-01","type":"`...)
	b = append(b, e.Type...)
	return append(b, `", "specversion":"1.0" }`...)
}

// data writes the fields of data in another order than AppendEvent does.
func (s speller) data(b []byte, e *schemas.Event) []byte {
	if e.Type == schemas.UsageRecorded {
		b = append(b, `"value": `...)
		b = s.number(b, e.Value)
		b = append(b, `,"item": `...)
		b = s.text(b, e.Item)
		b = append(b, `,"account_id": `...)
		return s.text(b, e.AccountID)
	}
	if e.Items != nil {
		b = append(b, `"items": [ `...)
		for i := range e.Items {
			if i > 0 {
				b = append(b, " , "...)
			}
			b = s.item(b, &e.Items[i])
		}
		b = append(b, ` ],`...)
	}
	if e.Type == schemas.ResourceCreated {
		b = append(b, `"auto_renew": `...)
		b = strconv.AppendBool(b, e.AutoRenew)
		b = append(b, `,"service": `...)
		b = s.text(b, e.Service)
		b = append(b, `,"product": `...)
		b = s.text(b, e.Product)
		b = append(b, `,"resource_name": `...)
		b = s.text(b, e.ResourceName)
		b = append(b, ',')
	}
	if e.Coupon != nil {
		b = append(b, `"coupon": {"value": `...)
		b = s.number(b, e.Coupon.Value)
		b = append(b, `,"code": `...)
		b = s.text(b, e.Coupon.Code)
		b = append(b, `},`...)
	}
	if !e.ExpiresAt.IsZero() {
		b = append(b, `"expires_at": "`...)
		b = append(b, e.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000000000Z")...)
		b = append(b, `",`...)
	}
	if e.Mode != "" {
		b = append(b, `"mode": "`...)
		b = append(b, e.Mode...)
		b = append(b, `",`...)
	}
	b = append(b, `"account_id": `...)
	return s.text(b, e.AccountID)
}

// item writes all fields of an item, defaults too.
func (s speller) item(b []byte, i *schemas.Item) []byte {
	b = append(b, `{"per":"`...)
	b = append(b, i.Per...)
	b = append(b, `","tax_percent": `...)
	b = s.number(b, i.TaxPercent)
	b = append(b, `,"discount_percent": `...)
	b = s.number(b, i.DiscountPercent)
	if i.Meter == schemas.NoMeter {
		b = append(b, `,"quantity": `...)
		b = s.number(b, i.Quantity)
	} else {
		b = append(b, `,"free_quantity": `...)
		b = s.number(b, i.FreeQuantity)
		b = append(b, `,"meter": "`...)
		b = append(b, i.Meter...)
		b = append(b, '"')
	}
	b = append(b, `,"unit_price": `...)
	b = s.number(b, i.UnitPrice)
	b = append(b, `,"unit": `...)
	b = s.text(b, i.Unit)
	b = append(b, `,"item": `...)
	b = s.text(b, i.Name)
	return append(b, '}')
}

// number writes the same value as text, with zeros, or with an exponent.
func (s speller) number(b []byte, n decimal.Decimal) []byte {
	quoted := s.rng.IntN(2) == 0
	if quoted {
		b = append(b, '"')
	}
	b = appendNumber(b, n)
	switch s.rng.IntN(3) {
	case 0:
		if n.Exponent() >= 0 {
			b = append(b, '.')
		}
		b = append(b, "000"...)
	case 1:
		b = append(b, "e0"...)
	}
	if quoted {
		b = append(b, '"')
	}
	return b
}

// text writes a string with its first character, when that is a letter of
// ASCII, as an escape.
func (s speller) text(b []byte, text string) []byte {
	if c := text[0]; s.rng.IntN(2) == 0 && c > ' ' && c < 0x7f && c != '"' && c != '\\' {
		b = append(b, `"\u00`...)
		b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		return append(b, appendText(nil, text[1:])[1:]...)
	}
	return appendText(b, text)
}
