// Package tables says which columns each stored table of invoices has, once: from
// these lists come inserts, selects, what rows are scanned into, and the hash of an
// invoice. A new column is a migration, an entry here, and the code that gives it
// meaning.
package tables
