package codec

import "github.com/reckon-billing/reckon/schemas"

// The fields of items and coupons, which lie within those of a family; an item has
// also fieldItem, a coupon fieldValue.
const (
	fieldCode = fieldUsageEnd + iota
	fieldUnit
	fieldUnitPrice
	fieldQuantity
	fieldMeter
	fieldPer
	fieldDiscountPercent
	fieldTaxPercent
	fieldFreeQuantity
	fieldItemEnd
)

// itemFacts are the words of items and coupons.
func itemFacts() familyFacts {
	return familyFacts{
		fields: []string{
			"code", "unit", "unit_price", "quantity", "meter", "per", "discount_percent", "tax_percent", "free_quantity",
		},
		reasons: []ReasonText{
			{RejectCouponNotPositive, "A coupon's value is zero.", false},
			{RejectCouponNotWhole, "A coupon's value is not in whole minor units of the currency.", true},
			{RejectFreeWithoutMeter, "An item has a free_quantity but no meter.", false},
			{RejectPerUseWithoutMeter, "An item is priced per use but has no meter.", false},
			{RejectPercentTooLarge, "A percentage is above 100.", true},
			{RejectQuantityOrMeter, "An item does not have exactly one of quantity and meter.", false},
		},
	}
}

// The reasons that items and coupons are refused for.
const (
	RejectCouponNotPositive  = "coupon_not_positive"
	RejectCouponNotWhole     = "coupon_not_whole"
	RejectFreeWithoutMeter   = "free_quantity_without_meter"
	RejectPerUseWithoutMeter = "per_use_without_meter"
	RejectPercentTooLarge    = "percent_too_large"
	RejectQuantityOrMeter    = "quantity_or_meter"
)

// itemFields are the fields that an item must have and may have; of quantity
// and meter it has exactly one.
func itemFields() (required, optional fieldSet) {
	return fieldsOf(fieldItem, fieldUnit, fieldUnitPrice),
		fieldsOf(fieldQuantity, fieldMeter, fieldPer, fieldDiscountPercent, fieldTaxPercent, fieldFreeQuantity)
}

func couponFields() fieldSet { return fieldsOf(fieldCode, fieldValue) }

func (c *checker) item(raw *rawObject) (it schemas.Item) {
	if !c.present(attributeName(""), raw.rawValue, true, "{", "an object") {
		return it
	}
	required, optional := itemFields()
	c.noUnknown(raw, required|optional)
	f := &raw.fields
	it.Name = c.text(fieldItem, f[fieldItem])
	it.Unit = c.text(fieldUnit, f[fieldUnit])
	it.UnitPrice = c.number(fieldUnitPrice, f[fieldUnitPrice], true, maxDecimals)
	if (f[fieldQuantity].kind == 0) == (f[fieldMeter].kind == 0) {
		c.refuse(RejectQuantityOrMeter, fieldQuantity, "an item has exactly one of quantity and meter")
	}
	it.Quantity = c.number(fieldQuantity, f[fieldQuantity], false, maxDecimals)
	it.Meter = schemas.Meter(c.word(fieldMeter, f[fieldMeter], false, string(schemas.Sum), string(schemas.Count), string(schemas.Max),
		string(schemas.Min), string(schemas.Last), string(schemas.Avg), string(schemas.Unique), string(schemas.TimeWeighted)))
	it.Per = schemas.Per(c.word(fieldPer, f[fieldPer], false, string(schemas.Per30d), string(schemas.Per1d), string(schemas.Per1h), string(schemas.PerUse)))
	switch {
	case it.Per == "":
		it.Per = schemas.Per30d
	case it.Per == schemas.PerUse && it.Meter == schemas.NoMeter:
		c.refuse(RejectPerUseWithoutMeter, fieldPer, "use goes only with a meter")
	}
	it.DiscountPercent = c.percent(fieldDiscountPercent, f[fieldDiscountPercent])
	it.TaxPercent = c.percent(fieldTaxPercent, f[fieldTaxPercent])
	it.FreeQuantity = c.number(fieldFreeQuantity, f[fieldFreeQuantity], false, maxDecimals)
	if f[fieldFreeQuantity].kind != 0 && it.Meter == schemas.NoMeter {
		c.refuse(RejectFreeWithoutMeter, fieldFreeQuantity, "goes only with a meter")
	}
	return it
}

func (c *checker) coupon(raw *rawObject) *schemas.Coupon {
	c.within = "data.coupon."
	c.noUnknown(raw, couponFields())
	code := c.text(fieldCode, raw.fields[fieldCode])
	v := raw.fields[fieldValue]
	value := c.number(fieldValue, v, true, maxDecimals)
	switch {
	case !c.ok():
	case value.IsZero():
		c.refuse(RejectCouponNotPositive, fieldValue, show(v)+" is not positive")
	case !c.currency.Whole(value):
		c.refuse(RejectCouponNotWhole, fieldValue, show(v)+" is not in whole minor units of "+c.currency.Code)
	}
	c.within = "data."
	return &schemas.Coupon{Code: code, Value: value}
}

func (p *FastParser) item(it *schemas.Item) bool {
	s := &p.scan
	var seen fieldSet
	for key := s.firstKey(); key != nil; key = s.nextKey() {
		f, ok := p.itemField(it, key)
		if !ok || seen.has(f) {
			return false
		}
		seen |= 1 << f
	}
	const needed = 1<<fieldItem | 1<<fieldUnit | 1<<fieldUnitPrice
	if s.bad || seen&needed != needed || seen.has(fieldQuantity) == seen.has(fieldMeter) {
		return false
	}
	if it.Per == "" {
		it.Per = schemas.Per30d
	}
	return it.Meter != schemas.NoMeter || (it.Per != schemas.PerUse && !seen.has(fieldFreeQuantity))
}

func (p *FastParser) itemField(it *schemas.Item, name []byte) (f field, ok bool) {
	switch string(name) {
	case "item":
		f = fieldItem
		it.Name, ok = p.shared()
	case "unit":
		f = fieldUnit
		it.Unit, ok = p.shared()
	case "unit_price":
		f = fieldUnitPrice
		it.UnitPrice, ok = p.number(maxDecimals)
	case "quantity":
		f = fieldQuantity
		it.Quantity, ok = p.number(maxDecimals)
	case "meter":
		f = fieldMeter
		it.Meter, ok = oneOf(p, schemas.Sum, schemas.Count, schemas.Max, schemas.Min, schemas.Last, schemas.Avg, schemas.Unique, schemas.TimeWeighted)
	case "per":
		f = fieldPer
		it.Per, ok = oneOf(p, schemas.Per30d, schemas.Per1d, schemas.Per1h, schemas.PerUse)
	case "discount_percent":
		f = fieldDiscountPercent
		it.DiscountPercent, ok = p.percent()
	case "tax_percent":
		f = fieldTaxPercent
		it.TaxPercent, ok = p.percent()
	case "free_quantity":
		f = fieldFreeQuantity
		it.FreeQuantity, ok = p.number(maxDecimals)
	default:
		f = noField
	}
	return f, ok
}

func (p *FastParser) coupon() (c *schemas.Coupon, ok bool) {
	s := &p.scan
	c = &schemas.Coupon{}
	var seen fieldSet
	for key := s.firstKey(); key != nil; key = s.nextKey() {
		f, ok := p.couponField(c, key)
		if !ok || seen.has(f) {
			return nil, false
		}
		seen |= 1 << f
	}
	ok = !s.bad && seen == couponFields() && !c.Value.IsZero() && p.Currency.Whole(c.Value)
	return c, ok
}

func (p *FastParser) couponField(c *schemas.Coupon, name []byte) (f field, ok bool) {
	switch string(name) {
	case "code":
		f = fieldCode
		c.Code, ok = p.shared()
	case "value":
		f = fieldValue
		c.Value, ok = p.number(maxDecimals)
	default:
		f = noField
	}
	return f, ok
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

func appendCoupon(b []byte, c *schemas.Coupon) []byte {
	b = appendText(append(b, `{"code":`...), c.Code)
	b = appendNumber(append(b, `,"value":`...), c.Value)
	return append(b, '}')
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

// isMeter tells whether it is one of the eight meters.
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
