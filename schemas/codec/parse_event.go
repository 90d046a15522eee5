package codec

import (
	"github.com/reckon-billing/reckon/schemas"
	"strconv"
)

// event checks steps 3 to 5 of Parser, in that order.
func (c *checker) event(raw *rawEvent) schemas.Event {
	e := c.attributes(raw)
	c.others(raw.others)
	if !c.ok() {
		return e
	}
	c.within = "data."
	c.data(&e, raw)
	if !c.ok() {
		return e
	}
	c.joins(&e, raw)
	return e
}

func (c *checker) attributes(raw *rawEvent) (e schemas.Event) {
	a := &raw.attributes
	if v := a[attrSpecVersion]; c.present(attrSpecVersion, v, true, `"`, "a string") && string(v.text) != "1.0" {
		c.refuse(RejectBadSpecVersion, attrSpecVersion, show(v)+` is not "1.0"`)
	}
	e.ID = c.text(attrID, a[attrID])
	e.Source = c.text(attrSource, a[attrSource])
	if v := a[attrType]; c.present(attrType, v, true, `"`, "a string") {
		e.Type = schemas.Type(v.text)
		if _, _, known := dataFields(e.Type); !known {
			c.refuse(RejectUnknownType, attrType, show(v)+" is not a type of event")
		}
	}
	e.ResourceID = c.text(attrSubject, a[attrSubject])
	e.Time = c.time(attrTime, a[attrTime], true)
	e.Sequence = c.sequence(a[attrSequence])
	if v := a[attrDataContentType]; c.present(attrDataContentType, v, false, `"`, "a string") && !isJSONType(string(v.text)) {
		c.refuse(RejectBadDataContentType, attrDataContentType, show(v)+" is not a JSON type")
	}
	if v := a[attrDataSchema]; c.present(attrDataSchema, v, false, `"`, "a string") {
		if len(v.text) == 0 {
			c.refuse(RejectEmptyText, attrDataSchema, "is empty")
		}
		c.clean(attrDataSchema, v)
	}
	if a[attrDataBase64].kind != 0 {
		c.refuse(RejectDataBase64, attrDataBase64, "data must be JSON, in data")
	}
	return e
}

// sequence reads digits, as a string or as a number, below 2^63.
func (c *checker) sequence(v rawValue) int64 {
	if !c.present(attrSequence, v, false, `0"`, "digits") {
		return 0
	}
	digits, rest := cutDigits(string(v.text))
	n, err := strconv.ParseInt(digits, 10, 64)
	if rest != "" || err != nil {
		c.refuse(RejectBadSequence, attrSequence, show(v)+" is not digits of a number below 2^63")
		return 0
	}
	return n
}

// attributeName is the name of an attribute that has no rules of its own.
type attributeName string

func (n attributeName) String() string { return cut(string(n)) }

// others checks the attributes that are kept with the raw bytes and not used:
// names first, then values.
func (c *checker) others(others []rawMember) {
	for _, m := range others {
		if !isAttributeName(m.name) {
			c.refuse(RejectBadAttributeName, attributeName(m.name), "CloudEvents allows no such name")
		}
	}
	for _, m := range others {
		name := attributeName(m.name)
		if !c.present(name, m.value, true, `"0tf`, "a string, a boolean or a whole number") {
			return
		}
		if m.value.kind == '"' {
			c.clean(name, m.value)
		}
		if m.value.kind == '0' && !isInt32(string(m.value.text)) {
			c.refuse(RejectBadAttributeNumber, name, show(m.value)+" is not a whole number of 32 bits")
		}
	}
}

// isAttributeName tells whether CloudEvents allows the name: letters and digits,
// and not data, which a binary event could name in a header.
func isAttributeName(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != "" && s != "data"
}

func isInt32(s string) bool {
	_, err := strconv.ParseInt(s, 10, 32)
	return err == nil
}

// data reads the fields of data: step 4.
func (c *checker) data(e *schemas.Event, raw *rawEvent) {
	required, optional, _ := dataFields(e.Type)
	c.within = ""
	if !c.present(attributeName("data"), raw.data.rawValue, true, "{", "an object") {
		return
	}
	c.within = "data."
	c.noUnknown(&raw.data, required|optional)
	f := &raw.data.fields
	e.AccountID = c.text(fieldAccountID, f[fieldAccountID])
	if required.has(fieldResourceName) {
		e.ResourceName = c.text(fieldResourceName, f[fieldResourceName])
		e.Product = c.text(fieldProduct, f[fieldProduct])
		e.Service = c.text(fieldService, f[fieldService])
	}
	e.Mode = schemas.Mode(c.word(fieldMode, f[fieldMode], required.has(fieldMode), string(schemas.Prepaid), string(schemas.Postpaid)))
	if c.present(fieldItems, f[fieldItems], required.has(fieldItems), "[", "a list") {
		c.items(e, raw)
	}
	if c.present(fieldCoupon, f[fieldCoupon], false, "{", "an object") {
		e.Coupon = c.coupon(&raw.coupon)
	}
	e.ExpiresAt = c.time(fieldExpiresAt, f[fieldExpiresAt], required.has(fieldExpiresAt))
	if v := f[fieldAutoRenew]; c.present(fieldAutoRenew, v, false, "tf", "true or false") {
		e.AutoRenew = v.kind == 't'
	}
	if required.has(fieldItem) {
		e.Item = c.text(fieldItem, f[fieldItem])
		e.Value = c.number(fieldValue, f[fieldValue], true, maxDecimals)
	}
}

func (c *checker) items(e *schemas.Event, raw *rawEvent) {
	switch {
	case raw.itemCount == 0:
		c.refuse(RejectNoItems, fieldItems, "is empty")
	case raw.itemCount > maxItems:
		c.refuse(RejectTooManyItems, fieldItems, strconv.Itoa(raw.itemCount)+" items are more than "+strconv.Itoa(maxItems))
	}
	if !c.ok() {
		return
	}
	e.Items = make([]schemas.Item, raw.itemCount)
	for i := range raw.items {
		c.index = i
		e.Items[i] = c.item(&raw.items[i])
		if !c.ok() {
			return
		}
	}
	for i := range e.Items {
		c.index = i
		if hasItem(e.Items[:i], e.Items[i].Name) {
			c.refuse(RejectDuplicateItem, fieldItem, quote(e.Items[i].Name)+" is in the list already")
		}
	}
	c.index = -1
}

func hasItem(items []schemas.Item, name string) bool {
	for i := range items {
		if items[i].Name == name {
			return true
		}
	}
	return false
}

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

// joins checks the rules between fields: step 5.
func (c *checker) joins(e *schemas.Event, raw *rawEvent) {
	if ofAccount(e.Type) {
		if e.ResourceID != e.AccountID {
			c.refuse(RejectSubjectMismatch, fieldAccountID, quote(e.AccountID)+" is not the subject "+quote(e.ResourceID))
		}
		e.ResourceID = ""
	}
	if e.Type == schemas.ResourceCreated && e.Mode == schemas.Prepaid && e.ExpiresAt.IsZero() {
		c.refuse(RejectMissingField, fieldExpiresAt, "is missing, and a prepaid resource needs it")
	}
	if !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(e.Time) {
		c.refuse(RejectExpiresNotLater, fieldExpiresAt, show(raw.data.fields[fieldExpiresAt])+
			" is not later than time "+e.Time.Format(canonicalTime))
	}
}
