package kafka

import "slices"

// abortMarker is the type of the control record that ends an aborted
// transaction.
const abortMarker = 0

// transaction is one that was aborted.
type transaction struct{ producer, first int64 }

// aborts knows which transactions of a partition were aborted. With the records
// comes the list of all aborted transactions that reach into them; a producer's
// transaction is over at its marker.
type aborts struct {
	// ahead are transactions whose first record was not yet passed, by producer
	// and first offset; open are those whose marker was not.
	ahead, open []transaction
}

// learn takes the list that came with a fetch. It repeats what is still open.
func (a *aborts) learn(list []transaction) {
	a.ahead, a.open = slices.Clone(list), nil
}

// has tells whether a transactional batch at the offset is of an aborted one.
// Batches are asked for in the order of their offsets.
func (a *aborts) has(producer, offset int64) bool {
	a.ahead = slices.DeleteFunc(a.ahead, func(t transaction) bool {
		if t.first > offset {
			return false
		}
		a.open = append(a.open, t)
		return true
	})
	return slices.ContainsFunc(a.open, func(t transaction) bool { return t.producer == producer })
}

// end closes the producer's transaction at its marker. A fetch may begin between
// the last record and the marker, so it need not be open; if it stayed ahead, it
// would swallow the producer's next one.
func (a *aborts) end(producer, offset int64) {
	closed := func(t transaction) bool { return t.producer == producer && t.first <= offset }
	a.ahead = slices.DeleteFunc(a.ahead, closed)
	a.open = slices.DeleteFunc(a.open, closed)
}
