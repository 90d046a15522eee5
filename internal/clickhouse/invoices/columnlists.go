package invoices

import (
	"io/fs"

	"github.com/reckon-billing/reckon/schemas/tables"
)

// lists are parts of statements: in place of {{columns_of_TABLE}} stand the columns of
// a table, as its rows are scanned.
type lists map[string]string

func columnLists() lists {
	all := lists{}
	list(all, tables.Lines())
	list(all, tables.Invoices())
	list(all, tables.ReportRows())
	list(all, tables.InvoiceHashes())
	return all
}

func list[T any](all lists, t tables.Table[T]) {
	all["queries/parts/columns_of_"+t.Name+".sql"] = tables.Names(t)
}

// Open is for the interface: nobody asks for more than ReadFile gives.
func (lists) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

// ReadFile is the text of a part.
func (l lists) ReadFile(name string) ([]byte, error) {
	text, found := l[name]
	if !found {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}
