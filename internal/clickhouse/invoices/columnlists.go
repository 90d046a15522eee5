package invoices

import (
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// columnLists are parts of statements: in place of {{columns_of_TABLE}} stand the
// columns of a table, as its rows are scanned; in place of {{row_of_TABLE}} a row of it as
// one text.
func columnLists(digits int32) column.Texts {
	all := column.Texts{}
	all.ColumnsOf(tables.Lines().Name, tables.Names(tables.Lines()))
	all.ColumnsOf(tables.Invoices().Name, tables.Names(tables.Invoices()))
	all.ColumnsOf(tables.ReportRows().Name, tables.Names(tables.ReportRows()))
	all.ColumnsOf(tables.InvoiceHashes().Name, tables.Names(tables.InvoiceHashes()))
	rowsOf(all, tables.Periods(), digits)
	rowsOf(all, tables.Edges(), digits)
	rowsOf(all, tables.Tombstones(), digits)
	rowsOf(all, tables.ItemMinutes(), digits)
	rowsOf(all, tables.RunAnomalies(), digits)
	return all
}
