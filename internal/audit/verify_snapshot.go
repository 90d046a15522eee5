package audit

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
)

// resource compares what is kept of one resource, or of an account itself.
func (c *keptCheck) resource(d *schemas.Derived) error {
	if c == nil {
		return nil
	}
	rater := rating.Rater{Currency: c.Currency}
	key := schemas.ResourceKey{AccountID: d.AccountID, ResourceID: d.ResourceID}
	lived := schemas.ResourceMinutes{Month: c.Month, AccountID: d.AccountID, ResourceID: d.ResourceID, Run: c.run.Number}
	used := map[[2]string]decimal.Decimal{}
	var periods []wantedPeriod
	for i := range d.Periods {
		p := d.Periods[i]
		if b := p.Balance; b != nil && p.Month == c.Month {
			if _, known := used[[2]string{b.Source, b.ID}]; !known {
				used[[2]string{b.Source, b.ID}] = rater.Used(b)
			}
		}
		lines := rater.Lines(&p)
		if p.Month != c.Month {
			continue
		}
		lived.ItemMinutes = lived.Add(rating.Count(&p, lines))
		p.Run = c.run.Number
		one := wantedPeriod{Period: p}
		if p.Balance != nil {
			one.used = used[[2]string{p.Balance.Source, p.Balance.ID}]
		}
		periods = append(periods, one)
	}
	if err := c.comparePeriods(key, periods); err != nil {
		return err
	}
	if err := c.compareMinutes(key, lived, len(periods) > 0); err != nil {
		return err
	}
	return c.compareSnapshot(key, d, &rater)
}

// wantedPeriod is a period with what months before used of its coupon.
type wantedPeriod struct {
	schemas.Period
	used decimal.Decimal
}

func (c *keptCheck) comparePeriods(key schemas.ResourceKey, periods []wantedPeriod) error {
	rows, err := take(c, c.periods, key, func(*KeptRow) bool { return true })
	if err != nil || !c.sealing {
		return err
	}
	c.Kept.Periods += int64(len(periods))
	var wants [][]string
	for i := range periods {
		texts, err := c.periodTexts(&periods[i])
		if err != nil {
			return err
		}
		wants = append(wants, texts)
	}
	return compareKept(c, c.periods, key, rows, wants)
}

// periodTexts are the rows that a period may have: as it comes of full history, or of a
// snapshot at the beginning of the month, which has noted what months before used of the
// coupon, and of the events that opened the period without a gap the last.
func (c *keptCheck) periodTexts(p *wantedPeriod) ([]string, error) {
	var texts []string
	for _, opened := range append([]schemas.EventRef{p.OpenedBy}, p.Reopened...) {
		for _, used := range []decimal.Decimal{{}, p.used} {
			one := p.Period
			one.OpenedBy = opened
			if b := p.Balance; b != nil {
				balance := *b
				balance.Used, one.Balance = used, &balance
			}
			text, err := c.periods.form.Text(&one)
			if err != nil {
				return nil, err
			}
			texts = append(texts, text)
			if p.used.IsZero() {
				break
			}
		}
	}
	return texts, nil
}

func (c *keptCheck) compareMinutes(key schemas.ResourceKey, lived schemas.ResourceMinutes, there bool) error {
	rows, err := take(c, c.minutes, key, func(r *KeptRow) bool { return r.Run == c.run.Number })
	if err != nil || !c.sealing {
		return err // of one that settles it is compared by account
	}
	var wants [][]string
	if there {
		text, err := c.minutes.form.Text(&lived)
		if err != nil {
			return err
		}
		wants = append(wants, []string{text})
	}
	return compareKept(c, c.minutes, key, rows, wants)
}

// compareSnapshot compares the snapshot that counts, of whatever run, with the one that
// is derived; of the run's own every column.
func (c *keptCheck) compareSnapshot(key schemas.ResourceKey, d *schemas.Derived, rater *rating.Rater) error {
	rows, err := take(c, c.snapshots, key, func(*KeptRow) bool { return true })
	if err != nil {
		return err
	}
	want := d.Snapshot
	if want == nil {
		want = &schemas.Snapshot{AccountID: d.AccountID, ResourceID: d.ResourceID, At: c.Month.Next(), Deleted: true}
	}
	if b := want.Balance; b != nil {
		want.CouponUsed = rater.Used(b)
	}
	if b := want.Before; b != nil {
		want.UsedBefore = rater.Used(b)
	}
	want.Run = c.run.Number
	text, err := c.snapshots.form.Text(want)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		if want.State == "" {
			return nil // nothing is remembered of what is unknown
		}
		return compareKept(c, c.snapshots, key, nil, [][]string{{text}})
	}
	return c.sameSnapshot(&rows[len(rows)-1], want, text)
}

// The places of columns of snapshots, after the table's name.
const (
	snapshotAt = 1 + iota
	_
	_
	snapshotRun
	snapshotState
	_
	snapshotUsedBefore
)

// sameSnapshot compares the snapshot that counts with the wanted one, in whatever form
// its state is written. One of an earlier run or month must say the same.
func (c *keptCheck) sameSnapshot(row *KeptRow, want *schemas.Snapshot, text string) error {
	if c.Kept.Snapshots++; row.Text == text {
		return nil
	}
	has, err := c.snapshots.form.Columns(row.Text)
	if err != nil {
		return err
	}
	must, err := c.snapshots.form.Columns(text)
	if err != nil {
		return err
	}
	what := c.keptName(must[0].Text, row.ResourceKey)
	part := ""
	if row.ResourceID == "" {
		if has[snapshotState] != must[snapshotState] {
			part = "mode"
		}
	} else if part, err = fold.DiffStates(has[snapshotState].Text, want.State, c.Month.End(c.Zone)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	older := row.Run != c.run.Number && c.wrote(row.Run, has[snapshotAt].Text)
	if part != "" {
		other := func() error {
			return c.differ("%s: state is stored with another %s than run %d derives", what, part, c.run.Number)
		}
		if older {
			return loseKept(c, c.snapshots, row.ResourceKey, text, other) // the run's own is gone
		}
		return other()
	}
	has[snapshotState] = must[snapshotState]
	if older {
		// As it was written then: when, by whom, and with what a provision_failed could go
		// back to.
		for _, i := range []int{snapshotAt, snapshotRun, snapshotUsedBefore} {
			has[i] = must[i]
		}
	}
	return c.columns(what, has, must, "derived")
}

// wrote tells whether a run writes snapshots of the month that begins so.
func (c *keptCheck) wrote(run int64, at string) bool {
	i, known := c.runs[run]
	return known && c.all[i].Month.Next().String() == at
}
