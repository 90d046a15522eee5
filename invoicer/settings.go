package invoicer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// SettingError says that a setting does not fit what the first seal fixed.
type SettingError struct{ Setting, Detail string }

func (e *SettingError) Error() string { return e.Setting + ": " + e.Detail }

func beforeFirst(month, first schemas.Month) error {
	return &SettingError{"billing.first_month", fmt.Sprintf("billing begins with %s: %s is before it", first, month)}
}

// CheckSettings refuses settings other than those that the first seal fixed.
func (v *Invoicer) CheckSettings(ctx context.Context) error {
	_, err := v.open(ctx)
	return err
}

func (v *Invoicer) checkFixed(b *books) error {
	if len(b.runs) == 0 {
		return nil
	}
	fixed := b.runs[0]
	var all []error
	for _, s := range []struct{ setting, is, was string }{
		{"billing.currency", v.Currency.Code, fixed.Currency},
		{"billing.zone", v.Zone.String(), fixed.Zone},
		{"billing.first_month", cmp.Or(v.FirstMonth, fixed.FirstMonth).String(), fixed.FirstMonth.String()}, // unset is as fixed
	} {
		if s.is != s.was {
			all = append(all, &SettingError{s.setting, fmt.Sprintf("is %s, but the first seal fixed %s: set it back", s.is, s.was)})
		}
	}
	return errors.Join(all...)
}

// first is billing's first month: as fixed, as set, or the given one.
func (b *books) first(setting, otherwise schemas.Month) schemas.Month {
	switch {
	case len(b.runs) > 0:
		return b.runs[0].FirstMonth
	case !setting.IsZero():
		return setting
	}
	return otherwise
}

// refuseEarlierLife keeps a first seal without the setting from forgetting to
// bill what was lived before (contract 5.0).
func (v *Invoicer) refuseEarlierLife(ctx context.Context, month schemas.Month, cutoff schemas.Cutoff) error {
	begin := schemas.Month{Year: 2000, Month: time.January}
	plan := schemas.Derivation{Run: schemas.Run{Number: 1, Cutoff: cutoff}, First: begin, Last: month.Prev(), New: true, FullHistory: true}
	found := errors.New("found")
	var earliest *schemas.Period
	err := v.Periods.Derive(ctx, plan, func(d schemas.Derived) error {
		if d.Err == nil && len(d.Periods) > 0 {
			earliest = &d.Periods[0]
			return found
		}
		return nil
	})
	switch {
	case errors.Is(err, found):
		return &SettingError{"billing.first_month", fmt.Sprintf(
			"is not set, and resource %q of account %q lived in %s, before %s: set the month with which billing begins (RECKON_BILLING_FIRST_MONTH=%s bills from %s on)",
			earliest.ResourceID, earliest.AccountID, earliest.Month, month, month, month)}
	case err != nil:
		return fmt.Errorf("look for resources that lived before %s: %w", month, err)
	}
	return nil
}
