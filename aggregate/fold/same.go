package fold

import (
	"errors"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// DiffStates names the first thing in which the state of a stored snapshot is another
// than the given one at an instant, "" where they say the same. It does not matter in
// which form each is written, nor what is too old to matter at the instant.
func DiffStates(stored, want string, at time.Time) (string, error) {
	if stored == want {
		return "", nil
	}
	var s, w state
	if err := w.decode(want); err != nil {
		return "", err
	}
	if err := s.decode(stored); errors.Is(err, ErrAbsent) {
		return "form, which cannot be read,", nil
	} else if err != nil {
		return "", err
	}
	s.forget(at)
	w.forget(at)
	return s.differ(&w), nil
}

// differ names the first part of a state that is another.
func (s *state) differ(o *state) string {
	if s == nil || o == nil {
		if s == o {
			return ""
		}
		return "state"
	}
	for _, part := range []struct {
		name string
		same bool
	}{
		{"phase", s.Phase == o.Phase},
		{"mode", s.Mode == o.Mode},
		{"resource_name", s.Name == o.Name},
		{"product", s.Product == o.Product},
		{"service", s.Service == o.Service},
		{"items", schemas.EqualItems(s.Items, o.Items)},
		{"coupon", sameBalance(s.Balance, o.Balance) && (s.Balance == nil || s.Balance.Code == o.Balance.Code && s.Balance.Value.Equal(o.Balance.Value))},
		{"last created or recovered", s.Since.Equal(o.Since)},
		{"opening event", s.Opened == o.Opened || s.Opened.Time.Equal(o.Opened.Time) && sameButTime(s.Opened, o.Opened)},
		{"levels", s.sameLevels(o)},
	} {
		if !part.same {
			return part.name
		}
	}
	if inner := s.Before.differ(o.Before); inner != "" {
		return inner + " of what it was before"
	}
	return ""
}

func sameButTime(a, b schemas.EventRef) bool {
	a.Time, b.Time = time.Time{}, time.Time{}
	return a == b
}

// sameLevels compares the levels of a stored state with the wanted ones. A state that was
// written when the levels of all items were kept may have more than those that are left
// in, and one that was derived from such a state may lack some that nothing meters.
func (s *state) sameLevels(want *state) bool {
	metered := namesMetered(nil, s.Items)
	for item, level := range want.Levels {
		has, found := s.Levels[item]
		if _, needed := metered[item]; !found && s.LeftOut && !needed {
			continue
		}
		if !found || !has.Equal(level) {
			return false
		}
	}
	for item := range s.Levels {
		if _, wanted := want.Levels[item]; !wanted && (s.LeftOut || !want.LeftOut) {
			return false
		}
	}
	return true
}
