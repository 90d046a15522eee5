package column

import "testing"

// words is a column that counts the rows that are looked at.
type words struct {
	rows   []int
	looked int
}

func (w *words) Repeats(i, limit int) int {
	end := repeats(w.rows, i, limit)
	w.looked += end - i
	return end
}

// TestWhatRepeatsTogetherIsFoundInItsOwnLength (O5): a word that goes on for 60,000 rows
// is not walked for each of the other column's.
func TestWhatRepeatsTogetherIsFoundInItsOwnLength(t *testing.T) {
	const n = 60_000
	for _, length := range []int{1, 3, 16, 17, 1000, n} {
		one, many := &words{rows: make([]int, n)}, &words{rows: make([]int, n)}
		for i := range n {
			many.rows[i] = i / length
		}
		for name, both := range map[string][2]*words{"first": {one, many}, "second": {many, one}} {
			one.looked, many.looked = 0, 0
			for i := 0; i < n; {
				end := BothRepeat(both[0], both[1], i, n)
				if want := min(i+length, n); end != want {
					t.Fatalf("runs of %d, the long one %s: from %d to %d, want %d", length, name, i, end, want)
				}
				i = end
			}
			if most := 2*n*(16/length+2) + 100; one.looked+many.looked > 2*most {
				t.Errorf("runs of %d, the long one %s: %d rows are looked at, want at most %d", length, name, one.looked+many.looked, 2*most)
			}
		}
	}
}
