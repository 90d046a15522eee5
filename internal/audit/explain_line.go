package audit

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
)

// PriceExplanation is the formula of contract 4 with its numbers.
type PriceExplanation struct {
	UnitPrice       string `json:"unit_price"`
	Per             string `json:"per"`
	Quantity        string `json:"quantity"`
	DiscountPercent string `json:"discount_percent"`
	TaxPercent      string `json:"tax_percent"`
	// Formula and TaxFormula give Exact and ExactTax, unrounded: decimals, or the
	// first twelve and the fraction where they do not end.
	Formula    string `json:"formula"`
	Exact      string `json:"exact"`
	TaxFormula string `json:"tax_formula"`
	ExactTax   string `json:"exact_tax"`
	// ExactGross is Exact + ExactTax; Gross is that rounded.
	ExactGross string `json:"exact_gross"`
	Gross      string `json:"gross"`
	TaxAmount  string `json:"tax_amount"`
	BeforeTax  string `json:"before_tax"`
}

// CouponExplanation is a coupon balance and this line's share of it.
type CouponExplanation struct {
	Code  string `json:"code"`
	Value string `json:"value"`
	// Source and ID name the event that brought it.
	Source string `json:"source"`
	ID     string `json:"id"`
	// UsedBefore is what older periods took, Left what that leaves.
	UsedBefore string `json:"used_before"`
	Left       string `json:"left"`
	// PeriodGross is that of all lines of the period, LineGross of this one, Share
	// what this line gets.
	PeriodGross string `json:"period_gross"`
	LineGross   string `json:"line_gross"`
	Share       string `json:"share"`
}

// errNotAsStored says that the events do not give what is stored.
var errNotAsStored = errors.New("its events do not come to what is stored: run reckon verify")

// line explains one stored line.
func (e *explainer) line(ctx context.Context, l *schemas.Line) (*LineExplanation, error) {
	x := &LineExplanation{
		Item: l.Item.Name, Unit: l.Item.Unit, PeriodStart: e.instant(l.PeriodStart), PeriodEnd: e.instant(l.PeriodEnd), Minutes: l.Minutes,
		AmountTexts: e.amountTexts(l.Amounts),
	}
	if e.header.Kind != schemas.KindAdjustment {
		return x, e.asDerived(ctx, x, l)
	}
	was := e.soFar(l)
	defer was.take(l)
	switch {
	case l.Number == 0:
		return x, e.difference(ctx, x, l, was)
	case was.Invoiced:
		return x, e.takenBack(ctx, x, l, was)
	default:
		return x, e.asDerived(ctx, x, l)
	}
}

// asDerived explains a line that is what its run derived.
func (e *explainer) asDerived(ctx context.Context, x *LineExplanation, l *schemas.Line) error {
	p, now := e.find(l)
	if now == nil || !now.Equal(l.Amounts) || now.Minutes != l.Minutes || !now.Quantity.Equal(l.Quantity) {
		return errNotAsStored
	}
	return e.explain(ctx, x, p, now)
}

// explain explains a line that the run derived.
func (e *explainer) explain(ctx context.Context, x *LineExplanation, p *pricedPeriod, now *schemas.Line) error {
	x.OpenedBy, x.ClosedBy = e.eventText(&p.OpenedBy), e.eventText(p.ClosedBy)
	item := &p.Items[now.Position]
	if item.Meter != schemas.NoMeter {
		var err error
		if x.Usage, err = e.usage(ctx, p, item); err != nil {
			return err
		}
	}
	x.Price = e.price(now)
	if b := p.Balance; b != nil && now.CouponCode != "" {
		c := e.Currency
		x.Coupon = &CouponExplanation{
			Code: b.Code, Value: schemas.FormatDecimal(b.Value), Source: b.Source, ID: b.ID, UsedBefore: p.used, Left: p.left,
			PeriodGross: c.Format(rating.Total(p.lines).Gross()), LineGross: c.Format(now.Gross()), Share: c.Format(now.CouponValue),
		}
	}
	return nil
}

// takenBack explains a row that takes a line back: as the run that invoiced it last
// derived it, or as the sum of what an older version invoiced for it.
func (e *explainer) takenBack(ctx context.Context, x *LineExplanation, l *schemas.Line, was *invoicedSoFar) error {
	if back := was.Back(); !back.Equal(l.Amounts) || back.Minutes != l.Minutes || !back.Quantity.Equal(l.Quantity) {
		return errNotAsStored
	}
	x.TakesBack = was.Line.InvoiceCode
	_, now := e.find(l)
	x.Gone = now == nil
	if len(was.rows) > 1 {
		x.Invoiced = e.invoicedTexts(was.rows)
		return e.storedPeriod(ctx, x, l)
	}
	past, err := e.asOf(ctx, was.Line.Run)
	if err != nil {
		return err
	}
	return past.asDerived(ctx, x, &was.Line)
}

// difference explains a row of an older version's adjustment.
func (e *explainer) difference(ctx context.Context, x *LineExplanation, l *schemas.Line, was *invoicedSoFar) error {
	x.Invoiced = e.invoicedTexts(was.rows)
	p, now := e.find(l)
	if now == nil {
		if !l.Amounts.Add(was.Amounts).IsZero() {
			return errNotAsStored
		}
		nothing := e.amountTexts(schemas.Amounts{})
		x.Gone, x.Now = true, &nothing
		return e.storedPeriod(ctx, x, l)
	}
	if !now.Amounts.Sub(was.Amounts).Equal(l.Amounts) || now.Minutes != l.Minutes || !now.Quantity.Equal(l.Quantity) {
		return errNotAsStored
	}
	amounts := e.amountTexts(now.Amounts)
	x.Now = &amounts
	return e.explain(ctx, x, p, now)
}

func (e *explainer) invoicedTexts(rows []schemas.Line) (all []InvoicedText) {
	for i := range rows {
		all = append(all, InvoicedText{rows[i].InvoiceCode, e.amountTexts(rows[i].Amounts)})
	}
	return all
}

// storedPeriod names the events of a period as it was stored.
func (e *explainer) storedPeriod(ctx context.Context, x *LineExplanation, l *schemas.Line) error {
	opened, closed, err := e.one.Period(ctx, e.header.Month, l.PeriodStart, e.header.Run)
	x.OpenedBy, x.ClosedBy = e.eventText(opened), e.eventText(closed)
	return err
}

// find finds the line among those that the run derived.
func (e *explainer) find(l *schemas.Line) (*pricedPeriod, *schemas.Line) {
	for i := range e.periods {
		for j := range e.periods[i].lines {
			if sameLineOf(&e.periods[i].lines[j]) == sameLineOf(l) {
				return &e.periods[i], &e.periods[i].lines[j]
			}
		}
	}
	return nil, nil
}

// price fills the formula in.
func (e *explainer) price(l *schemas.Line) *PriceExplanation {
	it, c := &l.Item, e.Currency
	text := schemas.FormatDecimal
	factors := []string{text(it.UnitPrice), text(l.Quantity), "(100 - " + text(it.DiscountPercent) + ")"}
	num := it.UnitPrice.Mul(l.Quantity).Mul(decimal.NewFromInt(100).Sub(it.DiscountPercent))
	den, under := decimal.NewFromInt(100), "100"
	if per := it.Per.Minutes(); per > 0 {
		factors = append([]string{fmt.Sprintf("%d min", l.Minutes)}, factors...)
		num, den = num.Mul(decimal.NewFromInt(l.Minutes)), decimal.NewFromInt(100*per)
		under = fmt.Sprintf("(100 × %d min)", per)
	}
	exact := new(big.Rat).Quo(num.Rat(), den.Rat())
	tax := new(big.Rat).Mul(exact, new(big.Rat).Quo(it.TaxPercent.Rat(), big.NewRat(100, 1)))
	return &PriceExplanation{
		UnitPrice: text(it.UnitPrice), Per: string(it.Per), Quantity: text(l.Quantity),
		DiscountPercent: text(it.DiscountPercent), TaxPercent: text(it.TaxPercent),
		Formula: strings.Join(factors, " × ") + " / " + under, Exact: exactText(exact),
		TaxFormula: "exact × " + text(it.TaxPercent) + " / 100", ExactTax: exactText(tax),
		ExactGross: exactText(new(big.Rat).Add(exact, tax)), Gross: c.Format(l.Gross()), TaxAmount: c.Format(l.TaxAmount),
		BeforeTax: c.Format(l.BeforeTax),
	}
}

// exactText writes a number exactly: as a decimal or, where that has no end, its
// first twelve decimals and the fraction.
func exactText(r *big.Rat) string {
	if places, ends := r.FloatPrec(); ends {
		return r.FloatString(places)
	}
	const places = 12
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(places), nil)
	digits := new(big.Int).Quo(new(big.Int).Mul(r.Num(), scale), r.Denom())
	return new(big.Rat).SetFrac(digits, scale).FloatString(places) + "… = " + r.String()
}
