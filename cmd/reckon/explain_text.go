package main

import (
	"fmt"
	"strconv"

	"github.com/reckon-billing/reckon/internal/audit"
)

// printExplanation writes an explanation for people.
func (a *cli) printExplanation(x *audit.Explanation) {
	a.printf("%s: %s of account %s, resource %s (%s), month %s\n", x.Invoice, x.Kind, x.AccountID, x.ResourceID, x.ResourceName, x.Month)
	a.printf("issued by run %d, which noted its cutoff at %s; total %s %s\n", x.Run, x.CreatedAt, x.TotalAmount, x.Currency)
	if x.LateEvents > 0 {
		a.printf("late events: %d\n", x.LateEvents)
		for i := range x.Late {
			a.printf("  %s\n", sayEvent(&x.Late[i]))
		}
		if n := x.LateEvents - int64(len(x.Late)); n > 0 {
			a.printf("  and %d more\n", n)
		}
	}
	for i := range x.Lines {
		a.printLine(i+1, &x.Lines[i])
	}
}

func (a *cli) printLine(number int, l *audit.LineExplanation) {
	a.printf("\n%d. %s, from %s to %s\n", number, l.Item, l.PeriodStart, l.PeriodEnd)
	field := func(name, format string, args ...any) { a.printf("   %-11s %s\n", name, fmt.Sprintf(format, args...)) }
	switch {
	case l.TakesBack != "" && len(l.Invoiced) > 0:
		field("takes back", "what was invoiced so far, last by %s", l.TakesBack)
	case l.TakesBack != "":
		field("takes back", "the line as %s invoiced it", l.TakesBack)
	}
	if l.OpenedBy != nil {
		field("opened by", "%s", sayEvent(l.OpenedBy))
	}
	switch {
	case l.ClosedBy != nil:
		field("closed by", "%s", sayEvent(l.ClosedBy))
	case l.OpenedBy != nil:
		field("closed by", "nothing: it goes on past the month")
	}
	if l.Gone {
		field("now", "the events no longer give this line")
	}
	if l.Usage != nil {
		a.printUsage(l.Usage, l.Unit, field)
	}
	if p := l.Price; p != nil {
		field("exact", "%s = %s", p.Formula, p.Exact)
		field("exact tax", "%s = %s", p.TaxFormula, p.ExactTax)
		field("gross", "%s rounded: %s", p.ExactGross, p.Gross)
		field("tax", "rounded: %s; before tax: %s - %s = %s", p.TaxAmount, p.Gross, p.TaxAmount, p.BeforeTax)
	}
	if c := l.Coupon; c != nil {
		field("coupon", "%s of %s, brought by %s %s: %s used before, %s left; of the period's gross of %s this line has %s: %s",
			strconv.Quote(c.Code), c.Value, c.Source, c.ID, c.UsedBefore, c.Left, c.PeriodGross, c.LineGross, c.Share)
	}
	last := "total"
	if l.Now != nil {
		field("comes to", "%s", sayAmounts(l.Now))
		last = "difference"
	}
	for i := range l.Invoiced {
		field("invoiced", "%s  %s", sayAmounts(&l.Invoiced[i].AmountTexts), l.Invoiced[i].Invoice)
	}
	field(last, "%s", sayAmounts(&l.AmountTexts))
}

func (a *cli) printUsage(u *audit.UsageExplanation, unit string, field func(name, format string, args ...any)) {
	field("usage", "%s of %d events: %s %s", u.Meter, u.Events, u.Measured, unit)
	if u.LevelAtStart != nil {
		field("", "level at the start: %s  %s", u.LevelAtStart.Value, sayEvent(u.LevelAtStart))
	}
	switch {
	case len(u.List) > 0:
		for i := range u.List {
			field("", "%s  %s", u.List[i].Value, sayEvent(&u.List[i]))
		}
	case u.First != nil:
		field("", "first: %s  %s", u.First.Value, sayEvent(u.First))
		field("", "last: %s  %s", u.Last.Value, sayEvent(u.Last))
	}
	if u.FreeQuantity != "0" {
		field("free", "%s, of which %s was used before, %s is taken here: %s %s", u.FreeQuantity, u.FreeUsedBefore, u.FreeTaken, u.Billed, unit)
	}
}

func sayEvent(e *audit.EventText) string {
	return fmt.Sprintf("%s %s %s at %s (%s/%d/%d)", e.Type, e.Source, e.ID, e.Time, e.Topic, e.Partition, e.Offset)
}

func sayAmounts(a *audit.AmountTexts) string {
	return fmt.Sprintf("%s + %s tax - %s coupon = %s", a.BeforeTax, a.TaxAmount, a.CouponValue, a.TotalAmount)
}
