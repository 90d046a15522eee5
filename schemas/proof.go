package schemas

import "crypto/sha256"

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// InvoiceHash is the digest of one invoice, stored beside its header.
type InvoiceHash struct {
	Month                 Month
	AccountID, ResourceID string
	Code                  string
	Run                   int64
	// Form is how it was made: which columns are in it.
	Form uint8
	Hash Digest
}

// RunHash is what one run issued for a month: how many invoices, and their hash.
type RunHash struct {
	Run, Invoices int64
	Hash          Digest
}

// ItemMinutes is the conservation law of a sealed month (contract 5.4), counted
// in minutes an item.
type ItemMinutes struct {
	// Lived counts each item of each period.
	Lived int64
	// OnLines counts what the lines say, Excluded the fixed quantities of prepaid
	// periods.
	OnLines, Excluded int64
}

// Add is the sum of two counts.
func (m ItemMinutes) Add(o ItemMinutes) ItemMinutes {
	return ItemMinutes{m.Lived + o.Lived, m.OnLines + o.OnLines, m.Excluded + o.Excluded}
}

// Balanced tells whether every item-minute lived is on a line or excluded.
func (m ItemMinutes) Balanced() bool { return m.Lived == m.OnLines+m.Excluded }

// ResourceMinutes are the item-minutes of one resource in one month (contract 5.4).
type ResourceMinutes struct {
	Month                 Month
	AccountID, ResourceID string
	Run                   int64
	ItemMinutes
}

// AccountMinutes are the item-minutes of an account in a month.
type AccountMinutes struct {
	AccountID string
	ItemMinutes
}
