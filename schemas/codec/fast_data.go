package codec

import (
	"github.com/reckon-billing/reckon/schemas"
	"github.com/shopspring/decimal"
)

// data reads the data of an event whose type may still be unknown: complete
// sees later whether the fields are those of the type.
func (p *FastParser) data(e *schemas.Event) bool {
	s := &p.scan
	var seen fieldSet
	for key := s.firstKey(); key != nil; key = s.nextKey() {
		f := fastField(key)
		if f < 0 || seen.has(f) || !p.dataField(e, f) {
			return false
		}
		seen |= 1 << f
	}
	p.fields = seen
	return !s.bad
}

func (p *FastParser) dataField(e *schemas.Event, f field) (ok bool) {
	switch f {
	case fieldItems:
		e.Items, ok = p.itemList()
		return ok
	case fieldCoupon:
		e.Coupon, ok = p.coupon()
		return ok
	case fieldAutoRenew:
		e.AutoRenew = p.scan.literal("true")
		return e.AutoRenew || p.scan.literal("false")
	case fieldValue:
		e.Value, ok = p.number(maxDecimals)
		return ok
	default:
		t, ok := p.scan.text()
		return ok && p.dataText(e, f, t)
	}
}

func (p *FastParser) dataText(e *schemas.Event, f field, t []byte) (ok bool) {
	switch f {
	case fieldAccountID:
		e.AccountID, ok = p.name(t)
	case fieldResourceName:
		e.ResourceName, ok = p.name(t)
	case fieldProduct:
		e.Product, ok = p.word(t)
	case fieldService:
		e.Service, ok = p.word(t)
	case fieldItem:
		e.Item, ok = p.word(t)
	case fieldMode:
		e.Mode, ok = oneOf(t, schemas.Prepaid, schemas.Postpaid)
	case fieldExpiresAt:
		e.ExpiresAt, ok = fastTime(t)
	default:
		return false
	}
	return ok
}

// fastField is fieldNamed.
func fastField(name []byte) field {
	switch string(name) {
	case "account_id":
		return fieldAccountID
	case "item":
		return fieldItem
	case "value":
		return fieldValue
	case "unit":
		return fieldUnit
	case "unit_price":
		return fieldUnitPrice
	case "quantity":
		return fieldQuantity
	case "meter":
		return fieldMeter
	case "per":
		return fieldPer
	case "discount_percent":
		return fieldDiscountPercent
	case "tax_percent":
		return fieldTaxPercent
	case "free_quantity":
		return fieldFreeQuantity
	case "resource_name":
		return fieldResourceName
	case "product":
		return fieldProduct
	case "service":
		return fieldService
	case "mode":
		return fieldMode
	case "items":
		return fieldItems
	case "coupon":
		return fieldCoupon
	case "expires_at":
		return fieldExpiresAt
	case "auto_renew":
		return fieldAutoRenew
	case "code":
		return fieldCode
	}
	return -1
}

// oneOf is the word, if it is one of those.
func oneOf[W ~string](t []byte, words ...W) (word W, ok bool) {
	for _, w := range words {
		if string(t) == string(w) {
			return w, true
		}
	}
	return "", false
}

// number reads a number, given as one or as a string that holds one.
func (p *FastParser) number(decimals int) (d decimal.Decimal, ok bool) {
	s := &p.scan
	if s.i < len(s.b) && s.b[s.i] != '"' {
		return p.decimal(s.numeral(), decimals)
	}
	t, ok := s.text()
	if !ok {
		return d, false
	}
	return p.decimal(t, decimals)
}

func (p *FastParser) percent() (d decimal.Decimal, ok bool) {
	d, ok = p.number(maxPercentDecimals)
	return d, ok && !d.GreaterThan(hundred())
}

// itemList reads 1 to 100 items with different names.
func (p *FastParser) itemList() (items []schemas.Item, ok bool) {
	s := &p.scan
	if !s.take('[') {
		return nil, false
	}
	p.items = p.items[:0]
	for {
		if len(p.items) == maxItems {
			return nil, false
		}
		p.items = append(p.items, schemas.Item{})
		last := len(p.items) - 1
		if !p.item(&p.items[last]) || hasItem(p.items[:last], p.items[last].Name) {
			return nil, false
		}
		if !s.take(',') {
			break
		}
	}
	items = make([]schemas.Item, len(p.items))
	copy(items, p.items)
	return items, s.take(']')
}

func (p *FastParser) item(it *schemas.Item) bool {
	s := &p.scan
	var seen fieldSet
	for key := s.firstKey(); key != nil; key = s.nextKey() {
		f := fastField(key)
		if f < 0 || seen.has(f) || !p.itemField(it, f) {
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

func (p *FastParser) itemField(it *schemas.Item, f field) (ok bool) {
	switch f {
	case fieldUnitPrice:
		it.UnitPrice, ok = p.number(maxDecimals)
		return ok
	case fieldQuantity:
		it.Quantity, ok = p.number(maxDecimals)
		return ok
	case fieldDiscountPercent:
		it.DiscountPercent, ok = p.percent()
		return ok
	case fieldTaxPercent:
		it.TaxPercent, ok = p.percent()
		return ok
	case fieldFreeQuantity:
		it.FreeQuantity, ok = p.number(maxDecimals)
		return ok
	default:
		t, ok := p.scan.text()
		return ok && p.itemText(it, f, t)
	}
}

func (p *FastParser) itemText(it *schemas.Item, f field, t []byte) (ok bool) {
	switch f {
	case fieldItem:
		it.Name, ok = p.word(t)
	case fieldUnit:
		it.Unit, ok = p.word(t)
	case fieldMeter:
		it.Meter, ok = oneOf(t, schemas.Sum, schemas.Count, schemas.Max, schemas.Min, schemas.Last, schemas.Avg, schemas.Unique, schemas.TimeWeighted)
	case fieldPer:
		it.Per, ok = oneOf(t, schemas.Per30d, schemas.Per1d, schemas.Per1h, schemas.PerUse)
	default:
		return false
	}
	return ok
}

func (p *FastParser) coupon() (c *schemas.Coupon, ok bool) {
	s := &p.scan
	c = &schemas.Coupon{}
	var seen fieldSet
	for key := s.firstKey(); key != nil; key = s.nextKey() {
		f := fastField(key)
		if f < 0 || seen.has(f) {
			return nil, false
		}
		switch f {
		case fieldCode:
			var t []byte
			if t, ok = s.text(); ok {
				c.Code, ok = p.word(t)
			}
		case fieldValue:
			c.Value, ok = p.number(maxDecimals)
		default:
			return nil, false
		}
		if !ok {
			return nil, false
		}
		seen |= 1 << f
	}
	ok = !s.bad && seen == couponFields() && !c.Value.IsZero() && p.Currency.Whole(c.Value)
	return c, ok
}
