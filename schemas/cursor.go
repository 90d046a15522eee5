package schemas

import (
	"cmp"
	"errors"
	"io"
)

// Cursor hands out rows one by one. Next returns io.EOF after the last. A row is
// valid until the next call; the strings in it stay as they are. Close may be called
// at any time, and again.
type Cursor[T any] interface {
	Next() (*T, error)
	Close() error
}

// ResourceKey names a resource or, with an empty resource id, an account itself.
type ResourceKey struct{ AccountID, ResourceID string }

// Compare orders by account id, then resource id, text by its bytes.
func (k ResourceKey) Compare(o ResourceKey) int {
	return cmp.Or(cmp.Compare(k.AccountID, o.AccountID), cmp.Compare(k.ResourceID, o.ResourceID))
}

// Sorted is a cursor whose rows ascend by resource, with its next row in sight: what
// merges of streams are made of.
type Sorted[T any] struct {
	Cursor[T]
	// Of says whose a row is.
	Of func(*T) ResourceKey
	// Row is the next row, and Key is whose it is. Row is nil before the first
	// Advance, and after the last.
	Row *T
	Key ResourceKey

	begun bool
}

// Advance reads the next row.
func (s *Sorted[T]) Advance() error {
	s.begun = true
	row, err := s.Next()
	if errors.Is(err, io.EOF) {
		s.Row = nil
		return nil
	}
	if err != nil {
		return err
	}
	s.Row, s.Key = row, s.Of(row)
	return nil
}

// At tells whether the next row is of the resource.
func (s *Sorted[T]) At(k ResourceKey) bool { return s.Row != nil && s.Key == k }

// Head is whose the next row is; false after the last.
func (s *Sorted[T]) Head() (ResourceKey, bool) { return s.Key, s.Row != nil }

// Take reads all rows of a resource, and goes past those before it. Resources must
// be asked for in order.
func (s *Sorted[T]) Take(k ResourceKey) ([]T, error) {
	if !s.begun {
		if err := s.Advance(); err != nil {
			return nil, err
		}
	}
	var out []T
	for s.Row != nil {
		order := s.Key.Compare(k)
		if order > 0 {
			break
		}
		if order == 0 {
			out = append(out, *s.Row)
		}
		if err := s.Advance(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Headed is a [Sorted] of any rows.
type Headed interface {
	Head() (ResourceKey, bool)
}

// Lowest is the first resource that any of the streams stands at; false when all
// have ended.
func Lowest(streams ...Headed) (lowest ResourceKey, found bool) {
	for _, s := range streams {
		if k, more := s.Head(); more && (!found || k.Compare(lowest) < 0) {
			lowest, found = k, true
		}
	}
	return lowest, found
}
