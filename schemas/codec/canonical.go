package codec

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/shopspring/decimal"
)

// AppendData appends the event's data in canonical form: JSON without spaces,
// keys in the order of dataFields, defaults filled in, left-out optional fields
// left out, numbers as strings that hold plain decimals without trailing zeros,
// times in UTC with milliseconds. Two events have the same data by contract 2
// exactly when these bytes are equal.
//
// The store keeps it for lifecycle events. A usage event is stored in columns
// (item, value) with empty data; its canonical data is only for Content.
func AppendData(b []byte, e *schemas.Event) []byte {
	b = appendText(append(b, `{"account_id":`...), e.AccountID)
	if e.Type == schemas.ResourceCreated {
		b = appendText(append(b, `,"resource_name":`...), e.ResourceName)
		b = appendText(append(b, `,"product":`...), e.Product)
		b = appendText(append(b, `,"service":`...), e.Service)
	}
	if e.Mode != "" {
		b = appendText(append(b, `,"mode":`...), string(e.Mode))
	}
	if len(e.Items) > 0 {
		b = append(b, `,"items":[`...)
		for i := range e.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendItem(b, &e.Items[i])
		}
		b = append(b, ']')
	}
	if e.Coupon != nil {
		b = appendText(append(b, `,"coupon":{"code":`...), e.Coupon.Code)
		b = appendNumber(append(b, `,"value":`...), e.Coupon.Value)
		b = append(b, '}')
	}
	if !e.ExpiresAt.IsZero() {
		b = e.ExpiresAt.UTC().AppendFormat(append(b, `,"expires_at":"`...), canonicalTime)
		b = append(b, '"')
	}
	switch {
	case e.Type == schemas.ResourceCreated && e.AutoRenew:
		b = append(b, `,"auto_renew":true`...)
	case e.Type == schemas.ResourceCreated:
		b = append(b, `,"auto_renew":false`...)
	case e.Type == schemas.UsageRecorded:
		b = appendText(append(b, `,"item":`...), e.Item)
		b = appendNumber(append(b, `,"value":`...), e.Value)
	}
	return append(b, '}')
}

func appendItem(b []byte, i *schemas.Item) []byte {
	b = appendText(append(b, `{"item":`...), i.Name)
	b = appendText(append(b, `,"unit":`...), i.Unit)
	b = appendNumber(append(b, `,"unit_price":`...), i.UnitPrice)
	if i.Meter == schemas.NoMeter {
		b = appendNumber(append(b, `,"quantity":`...), i.Quantity)
	} else {
		b = appendText(append(b, `,"meter":`...), string(i.Meter))
	}
	b = appendText(append(b, `,"per":`...), string(i.Per))
	b = appendNumber(append(b, `,"discount_percent":`...), i.DiscountPercent)
	b = appendNumber(append(b, `,"tax_percent":`...), i.TaxPercent)
	if i.Meter != schemas.NoMeter {
		b = appendNumber(append(b, `,"free_quantity":`...), i.FreeQuantity)
	}
	return append(b, '}')
}

// appendText quotes a text: it holds no control characters, so that only the
// quote and the backslash need an escape.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	if strings.IndexByte(s, '"') < 0 && strings.IndexByte(s, '\\') < 0 {
		return append(append(b, s...), '"')
	}
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func appendNumber(b []byte, d decimal.Decimal) []byte {
	return append(schemas.AppendDecimal(append(b, '"'), d), '"')
}

// Content is the digest of what two copies of one identity must have in common
// to be duplicates: type, subject, time in milliseconds, sequence and canonical
// data. Copies whose Content differs are in conflict (contract 2).
func Content(e *schemas.Event) schemas.Hash {
	b := make([]byte, 0, 1024)
	for _, part := range [...]string{string(e.Type), e.ResourceID} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part))) //nolint:gosec // at most 256 bytes
		b = append(b, part...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMilli())) // its bits, not its value
	b = binary.BigEndian.AppendUint64(b, uint64(e.Sequence))         //nolint:gosec // never negative
	sum := sha256.Sum256(AppendData(b, e))
	return schemas.Hash(sum[:16])
}
