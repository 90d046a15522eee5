// Package rating is the price arithmetic of reckon (contract section 4) and
// nothing else: values in, values out. It owns the one formula, the one rounding
// function (round.go) and the one allocation function (allot.go).
//
// It does not know what is due, what was invoiced before or where anything is
// stored; deriving the same periods again prices them the same again.
//
// Invariants:
//   - before_tax + tax_amount − coupon_value = total_amount on every line, each in
//     whole minor units of the currency, none below 0;
//   - money is rounded once a line: sums are sums of rounded lines;
//   - the coupon's shares of a period add up to exactly what was taken off the
//     balance, and no share is above its line's gross;
//   - item-minutes lived = item-minutes on lines + item-minutes excluded.
package rating
