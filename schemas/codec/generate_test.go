package codec

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

// same compares two events field by field, numbers by value.
func same(a, b *schemas.Event) bool {
	sameCoupon := (a.Coupon == nil) == (b.Coupon == nil) &&
		(a.Coupon == nil || (a.Coupon.Code == b.Coupon.Code && a.Coupon.Value.Equal(b.Coupon.Value)))
	return a.Source == b.Source && a.ID == b.ID && a.Type == b.Type && a.AccountID == b.AccountID &&
		a.ResourceID == b.ResourceID && a.Time.Equal(b.Time) && a.Sequence == b.Sequence && a.Mode == b.Mode &&
		a.ResourceName == b.ResourceName && a.Product == b.Product && a.Service == b.Service &&
		(a.Items == nil) == (b.Items == nil) && schemas.EqualItems(a.Items, b.Items) && sameCoupon &&
		a.ExpiresAt.Equal(b.ExpiresAt) && a.AutoRenew == b.AutoRenew && a.Item == b.Item && a.Value.Equal(b.Value)
}

func drawText(t *rapid.T, label string) string {
	letters := rapid.OneOf(rapid.RuneFrom([]rune(`ab"\/<>&é€😀 `+"\u2028\ufffd")), rapid.Rune())
	return rapid.StringOfN(letters.Filter(func(r rune) bool { return !isHiddenRune(r) }), 1, 12, 256).Draw(t, label)
}

// drawNumber draws a decimal of up to 20 integer digits and 9 decimals.
func drawNumber(t *rapid.T, label string) decimal.Decimal {
	if rapid.Bool().Draw(t, label+" small") {
		return decimal.New(rapid.Int64Range(0, 2000).Draw(t, label), -rapid.Int32Range(0, maxDecimals).Draw(t, label+" scale"))
	}
	digits := rapid.StringMatching(fmt.Sprintf(`[0-9]{1,%d}`, maxIntegerDigits+maxDecimals)).Draw(t, label)
	n, _ := new(big.Int).SetString(digits, 10)
	return decimal.NewFromBigInt(n, -maxDecimals)
}

func drawPercent(t *rapid.T, label string) decimal.Decimal {
	return decimal.New(rapid.Int64Range(0, 1_000_000).Draw(t, label), -maxPercentDecimals)
}

func drawItem(t *rapid.T, name string) schemas.Item {
	it := schemas.Item{Name: name, Unit: drawText(t, "unit"), UnitPrice: drawNumber(t, "price")}
	pers := []schemas.Per{schemas.Per30d, schemas.Per1d, schemas.Per1h}
	if rapid.Bool().Draw(t, "metered") {
		it.Meter = rapid.SampledFrom([]schemas.Meter{schemas.Sum, schemas.Count, schemas.Max, schemas.Min, schemas.Last, schemas.Avg, schemas.Unique, schemas.TimeWeighted}).Draw(t, "meter")
		it.FreeQuantity = drawNumber(t, "free")
		pers = append(pers, schemas.PerUse)
	} else {
		it.Quantity = drawNumber(t, "quantity")
	}
	it.Per = rapid.SampledFrom(pers).Draw(t, "per")
	it.DiscountPercent, it.TaxPercent = drawPercent(t, "discount"), drawPercent(t, "tax")
	return it
}

// drawEvent draws any valid event.
func drawEvent(t *rapid.T) schemas.Event {
	const first, last = 946_684_800_000, 7_258_118_400_000
	ms := rapid.Int64Range(first, last-2).Draw(t, "time")
	e := schemas.Event{
		Source: drawText(t, "source"), ID: drawText(t, "id"), Type: rapid.SampledFrom(Types()).Draw(t, "type"),
		AccountID: drawText(t, "account"), ResourceID: drawText(t, "resource"), Time: time.UnixMilli(ms).UTC(),
		Sequence: rapid.Int64Min(0).Draw(t, "sequence"),
	}
	if typeNamed(e.Type).ofAccount {
		e.ResourceID = ""
	}
	of := typeNamed(e.Type)
	has := func(f field) bool {
		return of.required.has(f) || (of.optional.has(f) && rapid.Bool().Draw(t, f.String()))
	}
	if has(fieldResourceName) {
		e.ResourceName, e.Product, e.Service = drawText(t, "name"), drawText(t, "product"), drawText(t, "service")
	}
	if has(fieldMode) {
		e.Mode = rapid.SampledFrom([]schemas.Mode{schemas.Prepaid, schemas.Postpaid}).Draw(t, "mode")
	}
	if has(fieldItems) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c]{1,3}`), 1, 4, rapid.ID[string]).Draw(t, "items")
		for _, name := range names {
			e.Items = append(e.Items, drawItem(t, name))
		}
	}
	if has(fieldCoupon) {
		e.Coupon = &schemas.Coupon{Code: drawText(t, "code"), Value: decimal.New(rapid.Int64Range(1, 1e15).Draw(t, "coupon value"), 0)}
	}
	if has(fieldExpiresAt) || (e.Type == schemas.ResourceCreated && e.Mode == schemas.Prepaid) {
		e.ExpiresAt = time.UnixMilli(rapid.Int64Range(ms+1, last-1).Draw(t, "end")).UTC()
	}
	e.AutoRenew = has(fieldAutoRenew) && rapid.Bool().Draw(t, "renews")
	if has(fieldItem) {
		e.Item, e.Value = drawText(t, "usage item"), drawNumber(t, "value")
	}
	return e
}

// writer writes an event in one of the many ways in which it can be written.
type writer struct{ t *rapid.T }

func (w writer) object(members []string) string {
	space := rapid.SampledFrom([]string{"", " ", "\n\t", "\r\n"}).Draw(w.t, "space")
	members = rapid.Permutation(members).Draw(w.t, "order")
	return "{" + space + strings.Join(members, space+","+space) + space + "}"
}

func (w writer) text(s string) string {
	var b strings.Builder
	for _, r := range s {
		short, _ := json.Marshal(string(r))
		switch {
		case r < 0x10000 && rapid.IntRange(0, 9).Draw(w.t, "escape") == 0:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.Write(short[1 : len(short)-1])
		}
	}
	return `"` + b.String() + `"`
}

func (w writer) number(d decimal.Decimal) string {
	s := d.String()
	if d.Exponent() > 0 || strings.Contains(s, "e") {
		s = d.StringFixed(0)
	}
	switch rapid.IntRange(0, 4).Draw(w.t, "number") {
	case 0:
		s = d.StringFixed(int32(rapid.IntRange(maxDecimals, 40).Draw(w.t, "decimals")))
	case 1:
		s = d.Coefficient().String() + fmt.Sprintf("e%d", d.Exponent())
	case 2:
		s = d.Shift(3).StringFixed(maxDecimals) + "E-03"
	}
	if rapid.Bool().Draw(w.t, "quoted") {
		return `"` + s + `"`
	}
	return s
}

func (w writer) time(at time.Time) string {
	zone := time.FixedZone("", 60*rapid.IntRange(-23*60, 23*60).Draw(w.t, "zone"))
	beyond := time.Duration(rapid.Int64Range(0, 999_999).Draw(w.t, "beyond"))
	text := at.Add(beyond).In(zone).Format(time.RFC3339Nano)
	if rapid.Bool().Draw(w.t, "small") {
		text = strings.ToLower(text)
	}
	return `"` + text + `"`
}

// perhaps leaves a member with its default out, or writes it.
func (w writer) perhaps(members []string, isDefault bool, member string) []string {
	if isDefault && rapid.Bool().Draw(w.t, "left out") {
		return members
	}
	return append(members, member)
}

func (w writer) item(it *schemas.Item) string {
	m := []string{`"item":` + w.text(it.Name), `"unit":` + w.text(it.Unit), `"unit_price":` + w.number(it.UnitPrice)}
	if it.Meter == schemas.NoMeter {
		m = append(m, `"quantity":`+w.number(it.Quantity))
	} else {
		m = append(m, `"meter":`+w.text(string(it.Meter)))
		m = w.perhaps(m, it.FreeQuantity.IsZero(), `"free_quantity":`+w.number(it.FreeQuantity))
	}
	m = w.perhaps(m, it.Per == schemas.Per30d, `"per":`+w.text(string(it.Per)))
	m = w.perhaps(m, it.DiscountPercent.IsZero(), `"discount_percent":`+w.number(it.DiscountPercent))
	m = w.perhaps(m, it.TaxPercent.IsZero(), `"tax_percent":`+w.number(it.TaxPercent))
	return w.object(m)
}

func (w writer) data(e *schemas.Event) string {
	m := []string{`"account_id":` + w.text(e.AccountID)}
	add := func(there bool, name, value string) {
		if there {
			m = append(m, `"`+name+`":`+value)
		}
	}
	created := e.Type == schemas.ResourceCreated
	add(created, "resource_name", w.text(e.ResourceName))
	add(created, "product", w.text(e.Product))
	add(created, "service", w.text(e.Service))
	add(e.Mode != "", "mode", w.text(string(e.Mode)))
	var items []string
	for i := range e.Items {
		items = append(items, w.item(&e.Items[i]))
	}
	add(e.Items != nil, "items", "["+strings.Join(items, " ,")+"]")
	if e.Coupon != nil {
		add(true, "coupon", w.object([]string{`"code":` + w.text(e.Coupon.Code), `"value":` + w.number(e.Coupon.Value)}))
	}
	if !e.ExpiresAt.IsZero() {
		add(true, "expires_at", w.time(e.ExpiresAt))
	}
	if created {
		m = w.perhaps(m, !e.AutoRenew, fmt.Sprintf(`"auto_renew":%v`, e.AutoRenew))
	}
	add(e.Type == schemas.UsageRecorded, "item", w.text(e.Item))
	add(e.Type == schemas.UsageRecorded, "value", w.number(e.Value))
	return w.object(m)
}

func (w writer) event(e *schemas.Event) string {
	subject := e.ResourceID
	if typeNamed(e.Type).ofAccount {
		subject = e.AccountID
	}
	m := []string{
		`"specversion":"1.0"`, `"id":` + w.text(e.ID), `"source":` + w.text(e.Source), `"type":` + w.text(string(e.Type)),
		`"subject":` + w.text(subject), `"time":` + w.time(e.Time),
	}
	data := w.data(e)
	if rapid.IntRange(0, 4).Draw(w.t, "packed") == 0 {
		m = append(m, `"data_base64":`+w.text(base64.StdEncoding.EncodeToString([]byte(data))))
	} else {
		m = w.perhaps(append(m, `"data":`+data), true, `"data_base64":null`)
	}
	sequence := fmt.Sprint(e.Sequence)
	if rapid.Bool().Draw(w.t, "sequence quoted") {
		sequence = `"0` + sequence + `"`
	}
	if e.Sequence == 0 && rapid.Bool().Draw(w.t, "sequence null") {
		sequence = "null"
	}
	m = w.perhaps(m, e.Sequence == 0, `"sequence":`+sequence)
	for _, optional := range []string{`"datacontenttype":"application/json"`, `"traceparent":"00-00"`, `"dataschema":"x:y"`} {
		if rapid.IntRange(0, 4).Draw(w.t, "null") == 0 {
			name, _, _ := strings.Cut(optional, ":")
			optional = name + ":null"
		}
		m = w.perhaps(m, true, optional)
	}
	return w.object(m)
}
