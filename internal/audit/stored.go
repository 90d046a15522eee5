package audit

import (
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// StoredLine is a line as it stands in the store.
type StoredLine struct {
	schemas.Line
	// MonthText is the month as it stands, which may be no month.
	MonthText string
}

// SealedResource is what is stored of one resource in one month.
type SealedResource struct {
	AccountID, ResourceID string
	// Headers, Lines and Hashes each ascend by run and code. Lines without a header
	// and hashes without one are among them.
	Headers []schemas.Invoice
	Lines   []StoredLine
	Hashes  []schemas.InvoiceHash
}

// StoredOffset is where one message is stored: as an event or as a dead letter.
type StoredOffset struct {
	schemas.Position
	Rejected bool
}

// UsageEvent is one usage event with its value.
type UsageEvent struct {
	schemas.EventRef
	Value decimal.Decimal
}
