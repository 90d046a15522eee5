package fold

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// fixed reads fixedForm: the fields one after the other, of which what may be missing
// stands after a 0 or a 1.
func (d *stateDecoder) fixed(s *state) {
	s.older = true
	s.Phase, s.Mode = phase(d.text()), schemas.Mode(d.text())
	s.Name, s.Product, s.Service = d.text(), d.text(), d.text()
	d.items(s)
	if d.present() {
		s.Balance = d.balance()
	}
	s.Since = d.time()
	d.event(&s.Opened)
	d.levels(s)
	if d.present() {
		s.Before = &state{}
		d.fixed(s.Before)
	}
}

func (d *stateDecoder) present() bool {
	n := d.number()
	if n != 0 && n != 1 {
		d.fail()
	}
	return n == 1
}

// oldestState is a state in the oldest form, JSON. What is always there is a pointer,
// nil where it is missing.
type oldestState struct {
	Phase   *phase                     `json:"phase"`
	Mode    *schemas.Mode              `json:"mode"`
	Name    *string                    `json:"name"`
	Product *string                    `json:"product"`
	Service *string                    `json:"service"`
	Items   []schemas.Item             `json:"items"`
	Balance *oldestBalance             `json:"balance"`
	Since   *time.Time                 `json:"since"`
	Opened  *schemas.EventRef          `json:"opened"`
	Levels  map[string]decimal.Decimal `json:"levels"`
	Before  *oldestState               `json:"before"`
}

type oldestBalance struct {
	Code   string          `json:"code"`
	Value  decimal.Decimal `json:"value"`
	Source string          `json:"source"`
	ID     string          `json:"id"`
}

// oldest reads the oldest form.
func (d *stateDecoder) oldest(encoded string, s *state) {
	var o oldestState
	err := json.Unmarshal([]byte(encoded), &o)
	if d.rest = ""; err != nil || !o.read(s) || s.Items == nil {
		d.fail()
	}
}

// read is false when something is missing.
func (o *oldestState) read(s *state) bool {
	if o.Phase == nil || o.Mode == nil || o.Name == nil || o.Product == nil || o.Service == nil || o.Since == nil || o.Opened == nil {
		return false
	}
	*s = state{
		Phase: *o.Phase, Mode: *o.Mode, Name: *o.Name, Product: *o.Product, Service: *o.Service,
		Items: o.Items, Since: *o.Since, Opened: *o.Opened, Levels: o.Levels, older: true,
	}
	if b := o.Balance; b != nil {
		s.Balance = &couponBalance{Code: b.Code, Value: b.Value, Source: b.Source, ID: b.ID}
	}
	if o.Before == nil {
		return true
	}
	s.Before = &state{}
	return o.Before.read(s.Before)
}
