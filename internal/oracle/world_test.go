package oracle

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func num(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func month(t *testing.T, s string) schemas.Month {
	t.Helper()
	m, err := schemas.ParseMonth(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// world collects the events of account a, resource r; times are written as in
// "10-01 10:00:30", of 2026, or whole, in Asia/Ho_Chi_Minh.
type world struct {
	t      *testing.T
	copies []Copy
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	if len(s) < 4 || s[4] != '-' {
		s = "2026-" + s
	}
	layout := "2006-01-02 15:04:05"
	v, err := time.ParseInLocation(layout, s, zone(t, "Asia/Ho_Chi_Minh"))
	if err != nil {
		t.Fatal(err)
	}
	return v.UTC()
}

// add makes an event of the type at the time; its id tells the order in which it
// was added, so that ties fall in that order.
func (w *world) add(kind schemas.Type, when string, change ...func(*schemas.Event)) *world {
	w.t.Helper()
	n := len(w.copies)
	e := schemas.Event{
		Source: "test", ID: fmt.Sprintf("%04d", n), Type: kind,
		AccountID: "a", ResourceID: "r", Time: at(w.t, when),
	}
	if kind == schemas.ResourceCreated {
		e.ResourceName, e.Product, e.Service, e.Mode = "name", "product", "service", schemas.Postpaid
	}
	for _, c := range change {
		c(&e)
	}
	w.copies = append(w.copies, Copy{Event: e, Position: schemas.Position{Topic: "t", Offset: int64(n)}, KafkaTime: e.Time})
	return w
}

func items(list ...schemas.Item) func(*schemas.Event) {
	return func(e *schemas.Event) { e.Items = list }
}

func coupon(code, value string) func(*schemas.Event) {
	return func(e *schemas.Event) { e.Coupon = &schemas.Coupon{Code: code, Value: num(value)} }
}

func mode(m schemas.Mode) func(*schemas.Event) { return func(e *schemas.Event) { e.Mode = m } }

func value(item, v string) func(*schemas.Event) {
	return func(e *schemas.Event) { e.Item, e.Value = item, num(v) }
}

// fixed is an item of quantity 1 for 30 days.
func fixed(name, unitPrice string) schemas.Item {
	return schemas.Item{Name: name, Unit: "u", UnitPrice: num(unitPrice), Quantity: num("1"), Per: schemas.Per30d}
}

// metered is an item of 1 per use.
func metered(name string, m schemas.Meter) schemas.Item {
	return schemas.Item{Name: name, Unit: "u", UnitPrice: num("1"), Meter: m, Per: schemas.PerUse}
}

func vnd(t *testing.T, first, last string) Settings {
	return Settings{
		Zone: zone(t, "Asia/Ho_Chi_Minh"), Currency: schemas.Currency{Code: "VND"},
		First: month(t, first), Last: month(t, last),
	}
}

// told writes the lines as "start end item quantity minutes total [coupon]",
// times in the billing zone, so that a case can be read.
func told(t *testing.T, r Result) []string {
	t.Helper()
	var out []string
	for _, l := range r.Lines {
		z := zone(t, "Asia/Ho_Chi_Minh")
		s := fmt.Sprintf("%s..%s %s x%s %dm =%s", l.PeriodStart.In(z).Format("01-02 15:04"),
			l.PeriodEnd.In(z).Format("01-02 15:04"), l.Item.Name, l.Quantity, l.Minutes, l.TotalAmount)
		if l.CouponCode != "" {
			s += fmt.Sprintf(" (%s %s)", l.CouponCode, l.CouponValue)
		}
		out = append(out, s)
	}
	return out
}

func reasons(r Result) string {
	var out []string
	for _, a := range r.Anomalies {
		out = append(out, string(a.Reason))
	}
	return strings.Join(out, " ")
}

func expect(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
