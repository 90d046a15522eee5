package codec

import (
	"strconv"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
)

// LifecycleTopic is the topic of lifecycle events, where no setting names another.
const LifecycleTopic = "billing.lifecycle"

// The fields of lifecycle events.
const (
	fieldResourceName = fieldFamilies + iota
	fieldProduct
	fieldService
	fieldMode
	fieldItems
	fieldCoupon
	fieldExpiresAt
	fieldAutoRenew
	fieldLifecycleEnd
)

// lifecycleFacts are the words of the family whose events open, change and end what
// is billed.
func lifecycleFacts() familyFacts {
	of := func(name schemas.Type, required, optional fieldSet) eventType {
		return eventType{name: name, family: lifecycleFamily, required: required, optional: optional}
	}
	modeChanged := of(schemas.AccountModeChanged, fieldsOf(fieldMode), 0)
	modeChanged.ofAccount = true
	return familyFacts{
		topic:  LifecycleTopic,
		fields: []string{"resource_name", "product", "service", "mode", "items", "coupon", "expires_at", "auto_renew"},
		types: []eventType{
			modeChanged,
			of(schemas.ResourceCreated, fieldsOf(fieldResourceName, fieldProduct, fieldService, fieldItems),
				fieldsOf(fieldMode, fieldCoupon, fieldExpiresAt, fieldAutoRenew)),
			of(schemas.ResourceResized, fieldsOf(fieldItems), 0),
			of(schemas.ResourceRenewed, fieldsOf(fieldExpiresAt), fieldsOf(fieldItems, fieldCoupon)),
			of(schemas.ResourceSuspended, 0, 0),
			of(schemas.ResourceResumed, 0, 0),
			of(schemas.ResourceDeleted, 0, 0),
			of(schemas.ResourceRecovered, 0, fieldsOf(fieldItems, fieldCoupon, fieldExpiresAt)),
			of(schemas.ResourceProvisionFailed, 0, 0),
		},
		reasons: []ReasonText{
			{RejectExpiresNotLater, "expires_at is not later than the event's time.", true},
			{RejectNoItems, "A list of items is empty.", false},
			{RejectTooManyItems, "A list has more than 100 items.", false},
			{RejectDuplicateItem, "Two items of one list have the same name.", true},
		},
	}
}

// The reasons that only lifecycle events are refused for; items.go has the others.
const (
	RejectDuplicateItem   = "duplicate_item"
	RejectExpiresNotLater = "expires_not_later"
	RejectNoItems         = "no_items"
	RejectTooManyItems    = "too_many_items"
)

func (c *checker) lifecycle(l *schemas.Lifecycle, raw *rawEvent, t *eventType) {
	f := &raw.data.fields
	if t.required.has(fieldResourceName) {
		l.ResourceName = c.text(fieldResourceName, f[fieldResourceName])
		l.Product = c.text(fieldProduct, f[fieldProduct])
		l.Service = c.text(fieldService, f[fieldService])
	}
	l.Mode = schemas.Mode(c.word(fieldMode, f[fieldMode], t.required.has(fieldMode), string(schemas.Prepaid), string(schemas.Postpaid)))
	if c.present(fieldItems, f[fieldItems], t.required.has(fieldItems), "[", "a list") {
		l.Items = c.items(raw)
	}
	if c.present(fieldCoupon, f[fieldCoupon], false, "{", "an object") {
		l.Coupon = c.coupon(&raw.coupon)
	}
	l.ExpiresAt = c.time(fieldExpiresAt, f[fieldExpiresAt], t.required.has(fieldExpiresAt))
	if v := f[fieldAutoRenew]; c.present(fieldAutoRenew, v, false, "tf", "true or false") {
		l.AutoRenew = v.kind == 't'
	}
}

func (c *checker) items(raw *rawEvent) []schemas.Item {
	switch {
	case raw.itemCount == 0:
		c.refuse(RejectNoItems, fieldItems, "is empty")
	case raw.itemCount > maxItems:
		c.refuse(RejectTooManyItems, fieldItems, strconv.Itoa(raw.itemCount)+" items are more than "+strconv.Itoa(maxItems))
	}
	if !c.ok() {
		return nil
	}
	items := make([]schemas.Item, raw.itemCount)
	for i := range raw.items {
		c.index = i
		items[i] = c.item(&raw.items[i])
		if !c.ok() {
			return nil
		}
	}
	for i := range items {
		c.index = i
		if hasItem(items[:i], items[i].Name) {
			c.refuse(RejectDuplicateItem, fieldItem, quote(items[i].Name)+" is in the list already")
		}
	}
	c.index = -1
	return items
}

func hasItem(items []schemas.Item, name string) bool {
	for i := range items {
		if items[i].Name == name {
			return true
		}
	}
	return false
}

func lifecycleJoins(e *schemas.Event) fault {
	switch {
	case e.ExpiresAt.IsZero() && e.Type == schemas.ResourceCreated && e.Mode == schemas.Prepaid:
		return fault{fieldExpiresAt, RejectMissingField, "is missing, and a prepaid resource needs it"}
	case !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(e.Time):
		return fault{fieldExpiresAt, RejectExpiresNotLater, "is not later than time " + e.Time.Format(canonicalTime)}
	}
	return fault{}
}

func (p *FastParser) lifecycle(l *schemas.Lifecycle, name []byte) (f field, ok bool) {
	switch string(name) {
	case "resource_name":
		f = fieldResourceName
		l.ResourceName, ok = p.own()
	case "product":
		f = fieldProduct
		l.Product, ok = p.shared()
	case "service":
		f = fieldService
		l.Service, ok = p.shared()
	case "mode":
		f = fieldMode
		l.Mode, ok = oneOf(p, schemas.Prepaid, schemas.Postpaid)
	case "items":
		f = fieldItems
		l.Items, ok = p.itemList()
	case "coupon":
		f = fieldCoupon
		l.Coupon, ok = p.coupon()
	case "expires_at":
		f = fieldExpiresAt
		l.ExpiresAt, ok = p.time()
	case "auto_renew":
		f = fieldAutoRenew
		l.AutoRenew = p.scan.literal("true")
		ok = l.AutoRenew || p.scan.literal("false")
	default:
		f = noField
	}
	return f, ok
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

func appendLifecycle(b []byte, l *schemas.Lifecycle, t *eventType) []byte {
	if t.required.has(fieldResourceName) {
		b = appendText(append(b, `,"resource_name":`...), l.ResourceName)
		b = appendText(append(b, `,"product":`...), l.Product)
		b = appendText(append(b, `,"service":`...), l.Service)
	}
	if l.Mode != "" {
		b = appendText(append(b, `,"mode":`...), string(l.Mode))
	}
	if len(l.Items) > 0 {
		b = append(b, `,"items":[`...)
		for i := range l.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendItem(b, &l.Items[i])
		}
		b = append(b, ']')
	}
	if l.Coupon != nil {
		b = appendCoupon(append(b, `,"coupon":`...), l.Coupon)
	}
	if !l.ExpiresAt.IsZero() {
		b = l.ExpiresAt.UTC().AppendFormat(append(b, `,"expires_at":"`...), canonicalTime)
		b = append(b, '"')
	}
	if t.optional.has(fieldAutoRenew) {
		b = strconv.AppendBool(append(b, `,"auto_renew":`...), l.AutoRenew)
	}
	return b
}

func (r *canonicalReader) lifecycle(l *schemas.Lifecycle, t *eventType) {
	if t.required.has(fieldResourceName) {
		r.must(`,"resource_name":`)
		l.ResourceName = r.text()
		r.must(`,"product":`)
		l.Product = r.text()
		r.must(`,"service":`)
		l.Service = r.text()
	}
	if r.field(t, fieldMode, `,"mode":`) {
		l.Mode = schemas.Mode(r.text())
		r.check(l.Mode == schemas.Prepaid || l.Mode == schemas.Postpaid)
	}
	if r.field(t, fieldItems, `,"items":`) {
		l.Items = r.items()
	}
	if r.field(t, fieldCoupon, `,"coupon":`) {
		l.Coupon = r.coupon()
	}
	if r.field(t, fieldExpiresAt, `,"expires_at":`) {
		l.ExpiresAt = r.time()
	}
	if t.optional.has(fieldAutoRenew) {
		l.AutoRenew = r.eat(`,"auto_renew":true`)
		if !l.AutoRenew {
			r.must(`,"auto_renew":false`)
		}
	}
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
