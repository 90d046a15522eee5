package schemas

import (
	"errors"
	"io"
	"slices"
	"testing"
)

type keySlice struct {
	rows []ResourceKey
	err  error
	at   int
}

func (s *keySlice) Next() (*ResourceKey, error) {
	if s.at == len(s.rows) {
		if s.err != nil {
			return nil, s.err
		}
		return nil, io.EOF
	}
	s.at++
	return &s.rows[s.at-1], nil
}

func (*keySlice) Close() error { return nil }

func sortedKeys(err error, rows ...ResourceKey) *Sorted[ResourceKey] {
	return &Sorted[ResourceKey]{Cursor: &keySlice{rows: rows, err: err}, Of: func(k *ResourceKey) ResourceKey { return *k }}
}

func TestSortedStreamsMerge(t *testing.T) {
	a := sortedKeys(nil, ResourceKey{"a", ""}, ResourceKey{"a", "2"}, ResourceKey{"b", "1"})
	b := sortedKeys(nil, ResourceKey{"a", "1"}, ResourceKey{"a", "2"}, ResourceKey{"a", "2"})
	if err := errors.Join(a.Advance(), b.Advance()); err != nil {
		t.Fatal(err)
	}
	var seen []ResourceKey
	var ofA, ofB int
	for k, more := Lowest(a, b); more; k, more = Lowest(a, b) {
		seen = append(seen, k)
		x, errA := a.Take(k)
		y, errB := b.Take(k)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		ofA, ofB = ofA+len(x), ofB+len(y)
	}
	want := []ResourceKey{{"a", ""}, {"a", "1"}, {"a", "2"}, {"b", "1"}}
	if !slices.Equal(seen, want) || ofA != 3 || ofB != 3 {
		t.Errorf("merged %v with %d and %d rows, want %v with 3 and 3", seen, ofA, ofB, want)
	}
}

func TestSortedTakesWithoutHavingBegunAndGoesPastOthers(t *testing.T) {
	s := sortedKeys(nil, ResourceKey{"a", "1"}, ResourceKey{"b", "1"}, ResourceKey{"b", "1"}, ResourceKey{"c", "1"})
	got, err := s.Take(ResourceKey{"b", "1"})
	if err != nil || len(got) != 2 {
		t.Errorf("%d rows and %v, want 2", len(got), err)
	}
	if got, err = s.Take(ResourceKey{"b", "2"}); err != nil || len(got) != 0 {
		t.Errorf("%d rows and %v of a resource that is not there", len(got), err)
	}
	if !s.At(ResourceKey{"c", "1"}) {
		t.Errorf("stands at %v", s.Key)
	}
}

func TestSortedTellsOfAFailedRead(t *testing.T) {
	broken := errors.New("broken")
	s := sortedKeys(broken, ResourceKey{"a", "1"})
	if _, err := s.Take(ResourceKey{"a", "1"}); !errors.Is(err, broken) {
		t.Errorf("err = %v, want that of the cursor", err)
	}
}
