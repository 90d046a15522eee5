package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// proof compares a sealed month with what its events come to. It holds one
// resource at a time, and the numbers of one account.
type proof struct {
	*Auditor
	Proof

	forms tables.Forms
	// all are the runs up to the last that was carried out; runs finds one by its
	// number.
	all  []schemas.Run
	runs map[int64]int
	// except are the parked accounts.
	except []string
	// lived are the derived item-minutes of the accounts in order; derived tells that
	// they are all there.
	lived   []accountMinutes
	derived bool

	// room is how many more differences are told of the part that is compared now.
	room int
}

type accountMinutes struct {
	account string
	schemas.ItemMinutes
}

// mostDifferences is how many differences are told of each part of what is compared, so
// that none hides the others.
const mostDifferences = 20

// errEnough ends a comparison: more differences would not be told.
var errEnough = errors.New("enough differences")

// differ notes a difference.
func (p *proof) differ(format string, args ...any) error {
	if p.room == 0 {
		p.More = true
		return errEnough
	}
	p.room--
	p.Found = append(p.Found, fmt.Sprintf(format, args...))
	return nil
}

// plan derives all there is up to the month from a run's cutoff.
func (p *proof) plan(number int64, last schemas.Month) schemas.Derivation {
	i := p.runs[number]
	return schemas.Derivation{Run: p.all[i], Earlier: p.all[:i], First: p.all[i].FirstMonth, Last: last, New: true, FullHistory: true}
}

// invoices derives the month from all events and compares it resource by
// resource.
func (p *proof) invoices(ctx context.Context) error {
	stored, err := p.Invoices.Sealed(ctx, p.Month, p.Run.Number)
	if err != nil {
		return fmt.Errorf("read what is stored of %s: %w", p.Month, err)
	}
	defer func() { _ = stored.Close() }() // every error that matters came from Next
	next, err := stored.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read what is stored of %s: %w", p.Month, err)
	}
	// upTo compares what is stored of resources before the given one, and hands out
	// what is stored of it.
	upTo := func(account, resource string, end bool) (*SealedResource, error) {
		for next != nil {
			order := compareResources(next.AccountID, next.ResourceID, account, resource)
			if order > 0 && !end {
				return nil, nil
			}
			r := next
			if next, err = stored.Next(); err != nil && !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("read what is stored of %s: %w", p.Month, err)
			}
			if order == 0 && !end {
				return r, nil
			}
			if err := p.resource(ctx, r, nil); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	kept, err := p.keptByLast(ctx)
	if err != nil {
		return err
	}
	defer kept.close()
	told, err := p.told(ctx, p.Run)
	if err != nil {
		return err
	}
	defer told.close()
	plan, deriver := p.plan(p.Run.Number, p.Month), &aggregate.Deriver{Source: p.Events, Zone: p.Zone}
	plan.Except = p.except
	told.ask(&plan, deriver)
	err = deriver.Derive(ctx, plan, func(d schemas.Derived) error {
		r, err := upTo(d.AccountID, d.ResourceID, false)
		if err != nil {
			return err
		}
		if d.Err != nil {
			return p.differ("account %q cannot be derived: %v", d.AccountID, d.Err)
		}
		lines := p.price(&d)
		if r == nil {
			r = &SealedResource{AccountID: d.AccountID, ResourceID: d.ResourceID}
		}
		if err := p.resource(ctx, r, lines); err != nil {
			return err
		}
		return errors.Join(kept.resource(&d), told.resource(&d))
	})
	if err != nil {
		return fmt.Errorf("derive %s again: %w", p.Month, err)
	}
	if _, err = upTo("", "", true); err != nil {
		return err
	}
	p.derived = true
	return errors.Join(kept.end(ctx), told.end(ctx))
}

func compareResources(account, resource, otherAccount, otherResource string) int {
	return slices.Compare([]string{account, resource}, []string{otherAccount, otherResource})
}

// price makes the month's lines of a resource, and counts its item-minutes.
func (p *proof) price(d *schemas.Derived) []schemas.Line {
	rater := rating.Rater{Currency: p.Currency}
	var out []schemas.Line
	for i := range d.Periods {
		lines := rater.Lines(&d.Periods[i])
		if d.Periods[i].Month != p.Month {
			continue
		}
		out = append(out, lines...)
		n := len(p.lived)
		if n == 0 || p.lived[n-1].account != d.AccountID {
			p.lived = append(p.lived, accountMinutes{account: d.AccountID})
			n++
		}
		p.lived[n-1].ItemMinutes = p.lived[n-1].Add(rating.Count(&d.Periods[i], lines))
	}
	return out
}

// hashes compares the hashes of the invoices with those stored with the seals.
func (p *proof) hashes(ctx context.Context) error {
	stored, err := p.Proofs.MonthHashes(ctx, p.Month, p.Run.Number)
	if err != nil {
		return err
	}
	again, err := p.Proofs.Rehash(ctx, p.Month, p.Run.Number)
	if err != nil {
		return err
	}
	p.Hashes = stored
	byRun := map[int64]schemas.RunHash{}
	for _, h := range again {
		byRun[h.Run] = h
	}
	have := map[int64]bool{}
	for _, h := range stored {
		have[h.Run] = true
		now, issued := byRun[h.Run]
		if !issued {
			now = schemas.RunHash{Run: h.Run, Hash: tables.NewMonthHash().Sum()}
		}
		if now != h {
			if err := p.differ("run %d sealed %d invoices of %s with hash %x, and %d are stored with hash %x",
				h.Run, h.Invoices, p.Month, h.Hash, now.Invoices, now.Hash); err != nil {
				return err
			}
		}
	}
	for _, run := range p.all {
		if h, issued := byRun[run.Number]; !have[run.Number] && (issued || run.Month == p.Month) {
			if err := p.differ("run %d has no hash of %s stored with its seal, and issued %d invoices of it", run.Number, p.Month, h.Invoices); err != nil {
				return err
			}
		}
	}
	return nil
}

// conservation compares the item-minutes by account with those stored, and holds
// both against the law (contract 5.4).
func (p *proof) conservation(ctx context.Context) error {
	if !p.derived {
		return nil
	}
	i := 0
	derivedUpTo := func(account string, end bool) error {
		for ; i < len(p.lived) && (end || p.lived[i].account < account); i++ {
			if err := p.account(p.lived[i], schemas.AccountMinutes{}); err != nil {
				return err
			}
		}
		return nil
	}
	err := p.Proofs.ItemMinutes(ctx, p.Month, p.Run.Number, func(m schemas.AccountMinutes) error {
		if slices.Contains(p.except, m.AccountID) {
			return nil
		}
		if err := derivedUpTo(m.AccountID, false); err != nil {
			return err
		}
		derived := accountMinutes{account: m.AccountID}
		if i < len(p.lived) && p.lived[i].account == m.AccountID {
			derived = p.lived[i]
			i++
		}
		return p.account(derived, m)
	})
	if err != nil {
		return err
	}
	return derivedUpTo("", true)
}

func (p *proof) account(derived accountMinutes, stored schemas.AccountMinutes) error {
	p.Accounts++
	p.Minutes = p.Minutes.Add(derived.ItemMinutes)
	for _, column := range []struct {
		name            string
		stored, derived int64
	}{
		{"item-minutes lived", stored.Lived, derived.Lived},
		{"item-minutes on lines", stored.OnLines, derived.OnLines},
		{"item-minutes excluded", stored.Excluded, derived.Excluded},
	} {
		if column.stored != column.derived {
			if err := p.differ("account %q: %s are stored as %d, derived %d", derived.account, column.name, column.stored, column.derived); err != nil {
				return err
			}
		}
	}
	if !derived.Balanced() {
		return p.differ("account %q: of %d item-minutes lived %d are on lines and %d excluded",
			derived.account, derived.Lived, derived.OnLines, derived.Excluded)
	}
	return nil
}
