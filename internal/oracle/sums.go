package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// sumKey is what makes a line the same line, whichever invoice it is on
// (contract 5, late events).
type sumKey struct {
	account, resource string
	month             schemas.Month
	start             int64
	item, coupon      string
}

func (k sumKey) compare(o sumKey) int {
	return cmp.Or(k.month.Compare(o.month), strings.Compare(k.account, o.account), strings.Compare(k.resource, o.resource),
		cmp.Compare(k.start, o.start), strings.Compare(k.item, o.item), strings.Compare(k.coupon, o.coupon))
}

func sums(lines []schemas.Line) map[sumKey]schemas.Amounts {
	out := make(map[sumKey]schemas.Amounts, len(lines))
	for i := range lines {
		l := &lines[i]
		k := sumKey{l.AccountID, l.ResourceID, l.Month, l.PeriodStart.UnixMilli(), l.Item.Name, l.CouponCode}
		out[k] = out[k].Add(l.Amounts)
	}
	return out
}

// DiffSums says, in one sentence each, where the lines of all invoices and
// adjustments together, got, do not come to what must be, want: the law of
// contract 5 for all four amounts. Nothing is said when they agree.
func DiffSums(want, got []schemas.Line) []string {
	w, g := sums(want), sums(got)
	keys := make([]sumKey, 0, len(w))
	for k := range w {
		keys = append(keys, k)
	}
	for k := range g {
		if _, there := w[k]; !there {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, sumKey.compare)
	var out []string
	for _, k := range keys {
		if !w[k].Equal(g[k]) {
			out = append(out, fmt.Sprintf("%s %s/%s %s %s: invoiced %v, must be %v", k.month, k.account, k.resource,
				time.UnixMilli(k.start).UTC().Format(time.RFC3339), k.item, g[k], w[k]))
		}
	}
	return out
}
