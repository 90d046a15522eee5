package invoices

import (
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// gatheredList are the arrays of a list's columns.
type gatheredList struct {
	values *gathered
	ends   []*column.ArrayInput
}

// Events is as [tables.Columns] says.
func (c *gathered) Events(v *[]schemas.EventRef, columns func(*schemas.EventRef, tables.Columns)) {
	gatherList(c, *v, columns)
}

// Items is as [tables.Columns] says.
func (c *gathered) Items(v *[]schemas.PeriodItem, columns func(*schemas.PeriodItem, tables.Columns)) {
	gatherList(c, *v, columns)
}

func gatherList[E any](c *gathered, list []E, columns func(*E, tables.Columns)) {
	to := c.lists.take()
	if to == nil {
		to = addList(c, columns)
	}
	for i := range list {
		to.values.begin()
		columns(&list[i], to.values)
	}
	c.note(to.values.failure())
	for _, l := range to.ends {
		l.End()
	}
}

func addList[E any](c *gathered, columns func(*E, tables.Columns)) *gatheredList {
	to := &gatheredList{values: newGathered(c.places, func(in tables.Columns) {
		var none E
		columns(&none, in)
	})}
	c.lists.all, c.lists.next = append(c.lists.all, to), c.lists.next+1
	for _, one := range to.values.input {
		values, _ := one.Data.(column.Resettable) // as add put it
		list := &column.ArrayInput{Values: values}
		to.ends = append(to.ends, list)
		c.input = append(c.input, column.InputColumn{Name: one.Name, Data: list})
	}
	return to
}
