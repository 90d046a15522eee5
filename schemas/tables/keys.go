package tables

import (
	"strconv"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// RowKey tells a row from all others that its run has written, headers aside.
type RowKey struct {
	// Table is the name of the row's table.
	Table string
	schemas.ResourceKey
	// Place is the rest of the table's key: the month and what else there is, in the
	// order of the key and a line each. No text that is stored has a line break.
	Place string
}

func rowKey(table, account, resource string, month schemas.Month, rest ...string) RowKey {
	return RowKey{table, schemas.ResourceKey{AccountID: account, ResourceID: resource}, strings.Join(append([]string{month.String()}, rest...), "\n")}
}

func millis(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// PeriodKey is the key of a period's row.
func PeriodKey(p *schemas.Period) RowKey {
	return rowKey(Periods().Name, p.AccountID, p.ResourceID, p.Month, millis(p.Start))
}

// LineKey is the key of a line's row.
func LineKey(l *schemas.Line) RowKey {
	return rowKey(Lines().Name, l.AccountID, l.ResourceID, l.Month,
		millis(l.PeriodStart), strconv.Itoa(l.Position), l.InvoiceCode, l.Item.Name, l.CouponCode, strconv.Itoa(l.Number))
}

// SnapshotKey is the key of a snapshot's row; what is alive and what is not have tables
// of their own.
func SnapshotKey(s *schemas.Snapshot) RowKey {
	table := Edges().Name
	if s.Deleted {
		table = Tombstones().Name
	}
	return rowKey(table, s.AccountID, s.ResourceID, s.At)
}

// MinutesKey is the key of a row of item-minutes.
func MinutesKey(m *schemas.ResourceMinutes) RowKey {
	return rowKey(ItemMinutes().Name, m.AccountID, m.ResourceID, m.Month)
}

// HashKey is the key of an invoice hash's row.
func HashKey(h *schemas.InvoiceHash) RowKey {
	return rowKey(InvoiceHashes().Name, h.AccountID, h.ResourceID, h.Month, h.Code)
}
