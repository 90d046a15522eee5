package invoicer

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// leftovers are rows that an attempt that broke off left of parked accounts, and that
// the attempt which derives them again does not write: a line that a mended resource
// no longer has would count with the others of its invoice.
//
// Nothing else is removed, ever: whoever carries out the same run beside this one
// writes the same rows, and none of them is a leftover. So nobody loses what another
// wrote, whenever either of them dies.
type leftovers struct {
	// written are the rows that stand, by resource.
	written schemas.Sorted[tables.RowKey]
	// derived are the keys of what the resource now comes to.
	resource schemas.ResourceKey
	derived  map[tables.RowKey]bool
	found    []tables.RowKey
}

// findLeftovers begins to look for those of the accounts that are carried out again.
func (v *Invoicer) findLeftovers(ctx context.Context, run int64, accounts []string) (*leftovers, error) {
	written, err := v.Invoices.Written(ctx, run, accounts)
	if err != nil {
		return nil, fmt.Errorf("read what a broken attempt left: %w", err)
	}
	l := &leftovers{derived: map[tables.RowKey]bool{}, written: schemas.Sorted[tables.RowKey]{
		Cursor: written, Of: func(k *tables.RowKey) schemas.ResourceKey { return k.ResourceKey },
	}}
	return l, l.written.Advance()
}

func (l *leftovers) close() { _ = l.written.Close() } // reading is over: what matters came from Next

// derive takes the keys of what a resource comes to, all or some; resources come in
// order. What stands of those before it is judged then, but for parked accounts.
func (l *leftovers) derive(resource schemas.ResourceKey, keys []tables.RowKey, parked map[string]string) error {
	if resource != l.resource {
		if err := l.judge(parked, func() bool { return l.written.Key.Compare(resource) < 0 }); err != nil {
			return err
		}
		l.resource = resource
		clear(l.derived)
	}
	for _, key := range keys {
		l.derived[key] = true
	}
	return nil
}

// end judges the rest.
func (l *leftovers) end(parked map[string]string) error {
	return l.judge(parked, func() bool { return true })
}

func (l *leftovers) judge(parked map[string]string, within func() bool) error {
	for l.written.Row != nil && within() {
		key := *l.written.Row
		if _, broken := parked[key.AccountID]; !broken && !l.derived[key] {
			l.found = append(l.found, key)
		}
		if err := l.written.Advance(); err != nil {
			return fmt.Errorf("read what a broken attempt left: %w", err)
		}
	}
	return nil
}

// park takes back what was found of the account that breaks again, the last one.
func (l *leftovers) park(account string) {
	n := len(l.found)
	for n > 0 && l.found[n-1].AccountID == account {
		n--
	}
	l.found = l.found[:n]
}

// forget removes what was found so far.
func (v *Invoicer) forget(ctx context.Context, run int64, l *leftovers) error {
	if l == nil || len(l.found) == 0 {
		return nil
	}
	if err := v.Invoices.Forget(ctx, run, l.found); err != nil {
		return fmt.Errorf("clear %d rows that a broken attempt left: %w", len(l.found), err)
	}
	l.found = l.found[:0]
	return nil
}
