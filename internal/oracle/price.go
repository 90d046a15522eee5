package oracle

import (
	"math/big"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// clip is the part of a period that lies in one month, in minutes.
type clip struct {
	from, to int64
	*period
}

// month makes the lines of one resource in one month. Months must be asked for
// oldest first: coupons are used up on the way.
func (p *placed) month(key resourceKey, m schemas.Month, s Settings, kept map[Conservation]*Conservation) []schemas.Line {
	first, end := minuteOf(m.Start(s.Zone).UnixMilli()), minuteOf(m.End(s.Zone).UnixMilli())
	var clips []clip
	for _, period := range p.periods {
		c := clip{max(period.from, first), min(period.to, end), period}
		if c.from < c.to {
			clips = append(clips, c)
		}
	}
	if len(clips) == 0 {
		return nil
	}
	sum := kept[Conservation{AccountID: key.account, Month: m}]
	if sum == nil {
		sum = &Conservation{AccountID: key.account, Month: m}
		kept[Conservation{AccountID: key.account, Month: m}] = sum
	}
	free := allowances(clips)
	var lines []schemas.Line
	for _, c := range clips {
		made := p.lines(key, m, s, c, free)
		sum.Lived += (c.to - c.from) * int64(len(c.items))
		sum.OnLines += (c.to - c.from) * int64(len(made))
		for _, i := range c.items {
			if c.life.mode == schemas.Prepaid && i.Meter == schemas.NoMeter {
				sum.Excluded += c.to - c.from
			}
		}
		lines = append(lines, made...)
	}
	return lines
}

// lines makes the lines of one clipped period and takes its coupon off them.
func (p *placed) lines(key resourceKey, m schemas.Month, s Settings, c clip, free allowance) []schemas.Line {
	var lines []schemas.Line
	var gross []*big.Int
	inPeriod := within(c.usage, c.from, c.to)
	for position := range c.items {
		i := &c.items[position]
		if c.life.mode == schemas.Prepaid && i.Meter == schemas.NoMeter {
			continue
		}
		quantity := rat(i.Quantity)
		if i.Meter != schemas.NoMeter {
			var usage []*Copy
			for _, u := range inPeriod {
				if u.Item == i.Name {
					usage = append(usage, u)
				}
			}
			quantity = free.billed(i, measure(i.Meter, c.from, c.to, usage, p.levels[levelKey{c.life, i.Name}]))
		}
		g, tax := price(c.to-c.from, i, quantity, s.Currency.Digits)
		start := minuteTime(c.from)
		lines = append(lines, schemas.Line{
			InvoiceCode: schemas.InvoiceCode(key.account, key.resource, m, start),
			AccountID:   key.account, ResourceID: key.resource,
			ResourceName: c.life.created.ResourceName, Product: c.life.created.Product, Service: c.life.created.Service,
			Month: m, PeriodStart: start, PeriodEnd: minuteTime(c.to),
			Position: position, Item: *i, Minutes: c.to - c.from,
			Quantity: dec(scaled(quantity, quantityPlaces), quantityPlaces),
			Amounts: schemas.Amounts{
				BeforeTax: dec(new(big.Int).Sub(g, tax), s.Currency.Digits),
				TaxAmount: dec(tax, s.Currency.Digits),
			},
		})
		gross = append(gross, g)
	}
	shares := c.coupon.take(gross, s.Currency.Digits)
	for i := range lines {
		l := &lines[i]
		if c.coupon != nil {
			l.CouponCode = c.coupon.Code
		}
		l.CouponValue = dec(shares[i], s.Currency.Digits)
		l.TotalAmount = dec(new(big.Int).Sub(gross[i], shares[i]), s.Currency.Digits)
	}
	return lines
}

// price is the one formula (contract 4): gross and tax in minor units.
func price(minutes int64, i *schemas.Item, quantity *big.Rat, digits int32) (gross, tax *big.Int) {
	hundred := big.NewRat(100, 1)
	exact := new(big.Rat).Mul(rat(i.UnitPrice), quantity)
	exact.Mul(exact, new(big.Rat).Sub(hundred, rat(i.DiscountPercent)))
	exact.Quo(exact, hundred)
	if i.Per != schemas.PerUse {
		exact.Mul(exact, big.NewRat(minutes, perMinutes(i.Per)))
	}
	exactTax := new(big.Rat).Mul(exact, rat(i.TaxPercent))
	exactTax.Quo(exactTax, hundred)
	gross = scaled(new(big.Rat).Add(exact, exactTax), digits)
	return gross, scaled(exactTax, digits)
}

// perMinutes is how long a price's own time is (contract 2, per).
func perMinutes(p schemas.Per) int64 {
	switch p {
	case schemas.Per1h:
		return 60
	case schemas.Per1d:
		return 1_440
	case schemas.Per30d, schemas.PerUse:
	}
	return 43_200
}

// take uses up the balance on the lines of one period, at most their gross in
// all, split in proportion to gross: largest remainder first, ties in item order.
func (b *balance) take(gross []*big.Int, digits int32) []*big.Int {
	shares := make([]*big.Int, len(gross))
	total := new(big.Int)
	for i, g := range gross {
		shares[i] = new(big.Int)
		total.Add(total, g)
	}
	if b == nil || total.Sign() == 0 {
		return shares
	}
	if b.left == nil {
		b.left = scaled(rat(b.Value), digits)
	}
	off := new(big.Int).Set(b.left)
	if total.Cmp(off) < 0 {
		off.Set(total)
	}
	b.left.Sub(b.left, off)

	rest := new(big.Int).Set(off)
	remainders := make([]*big.Int, len(gross))
	order := make([]int, len(gross))
	for i, g := range gross {
		order[i], remainders[i] = i, new(big.Int)
		shares[i].QuoRem(new(big.Int).Mul(off, g), total, remainders[i])
		rest.Sub(rest, shares[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return remainders[b].Cmp(remainders[a]) })
	for _, i := range order[:rest.Int64()] {
		shares[i].Add(shares[i], big.NewInt(1))
	}
	return shares
}

// scaled is the number in units of 10^-places, half away from zero.
func scaled(r *big.Rat, places int32) *big.Int {
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	x := new(big.Rat).Mul(r, new(big.Rat).SetInt(ten))
	half := big.NewRat(1, 2)
	if x.Sign() < 0 {
		half.Neg(half)
	}
	x.Add(x, half)
	return new(big.Int).Quo(x.Num(), x.Denom()) // Quo cuts towards zero
}

// rounded is the number with that many decimals, half away from zero.
func rounded(r *big.Rat, places int32) *big.Rat {
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	return new(big.Rat).SetFrac(scaled(r, places), ten)
}

// dec is units of 10^-places as a decimal.
func dec(units *big.Int, places int32) decimal.Decimal { return decimal.NewFromBigInt(units, -places) }

// rat reads a decimal exactly.
func rat(d decimal.Decimal) *big.Rat { return d.Rat() }

// minuteTime is the instant at which a minute begins.
func minuteTime(minute int64) time.Time { return time.UnixMilli(minute * msPerMinute).UTC() }
