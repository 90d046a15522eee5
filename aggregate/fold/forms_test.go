package fold

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// storedStates are the states that an older version wrote, by resource.
func storedStates(t *testing.T, form string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/snapshots_" + form + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, row := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		columns := strings.Split(row, "\t")
		if out[columns[1]], err = strconv.Unquote(columns[5]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestEveryFormSaysTheSame(t *testing.T) {
	oldest, fixed := storedStates(t, "json"), storedStates(t, "fixed")
	for resource, encoded := range oldest {
		if resource == "" {
			a := Open(Window{}).Account("acme")
			if err := a.Start(&schemas.Snapshot{State: encoded}); err != nil || a.end != schemas.Postpaid {
				t.Errorf("the account is read as %q: %v", a.end, err)
			}
			continue
		}
		want, err := decodeState(encoded)
		if err != nil {
			t.Fatalf("%s in the oldest form: %v", resource, err)
		}
		s, err := decodeState(fixed[resource])
		if err != nil {
			t.Fatalf("%s in the fixed form: %v", resource, err)
		}
		sameState(t, &s, &want)
		if s, err = decodeState(s.encode()); err != nil {
			t.Fatalf("%s in fields: %v", resource, err)
		}
		sameState(t, &s, &want)
	}
	for resource, tells := range map[string]func(*state) bool{
		"living":    func(s *state) bool { return s.Phase == running && s.Balance == nil && s.Before == nil },
		"suspended": func(s *state) bool { return s.Phase == suspended },
		"deleted":   func(s *state) bool { return s.Phase == deleted && len(s.Items) == 3 },
		"coupon":    func(s *state) bool { return s.Balance != nil && s.Balance.Code == "TET" },
		"levels":    func(s *state) bool { return s.Levels["disk"].String() == "40.125" },
		"before": func(s *state) bool {
			return s.Before != nil && s.Before.Balance.Code == "OLD" && s.Before.Levels != nil
		},
	} {
		if s, err := decodeState(fixed[resource]); err != nil || !tells(&s) {
			t.Errorf("the test data has no resource that is %s: %+v, %v", resource, s, err)
		}
	}
}

// fieldsOf are the fields of an encoded state, each with its number and length.
func fieldsOf(t *testing.T, encoded string) map[byte]string {
	t.Helper()
	out := map[byte]string{}
	for d := (stateDecoder{rest: encoded[1:]}); d.rest != ""; {
		number, at := d.rest[0], d.rest
		d.rest = d.rest[1:]
		d.text()
		out[number] = at[:len(at)-len(d.rest)]
	}
	return out
}

func joined(fields map[byte]string) string {
	out := string(rune(fieldsForm))
	for _, number := range slices.Sorted(maps.Keys(fields)) {
		out += fields[number]
	}
	return out
}

func TestAStateThatLacksAFieldOrCannotBeReadIsAbsent(t *testing.T) {
	for resource, encoded := range storedStates(t, "json") {
		if resource == "" {
			continue
		}
		s, err := decodeState(encoded)
		if err != nil {
			t.Fatal(err)
		}
		fields := fieldsOf(t, s.encode())
		if len(fields) != beforeField || joined(fields) != s.encode() {
			t.Fatalf("%s has fields %v", resource, fields)
		}
		unreadable := map[string]string{
			"another form": "\x03" + s.encode()[1:], "a phase that is none": strings.Replace(s.encode(), string(s.Phase), "walking", 1),
			"fields twice": s.encode() + fields[phaseField], "no fields": string(rune(fieldsForm)), "no JSON": "{",
		}
		for number := range fields {
			rest := maps.Clone(fields)
			delete(rest, number)
			unreadable["without field "+strconv.Itoa(int(number))] = joined(rest)
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(encoded), &object); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"phase", "mode", "name", "product", "service", "items", "since", "opened"} {
			rest := maps.Clone(object)
			delete(rest, name)
			text, err := json.Marshal(rest)
			if err != nil {
				t.Fatal(err)
			}
			unreadable["JSON without "+name] = string(text)
		}
		for what, encoded := range unreadable {
			_, err := Open(Window{}).Account("acme").Resource(resource, &schemas.Snapshot{State: encoded})
			if !errors.Is(err, ErrAbsent) {
				t.Errorf("%s: %s: %v", resource, what, err)
			}
		}
	}
	for _, mode := range []string{"postpai", "\x02", "{}"} {
		if err := Open(Window{}).Account("acme").Start(&schemas.Snapshot{State: mode}); !errors.Is(err, ErrAbsent) {
			t.Errorf("an account's mode %q: %v", mode, err)
		}
	}
}

// A later version's field is passed over, and is gone when the state is written next:
// passed on as it is it could be wrong by then.
func TestAFieldThatIsNotKnownIsNotPassedOn(t *testing.T) {
	s, err := decodeState(storedStates(t, "fixed")["living"])
	if err != nil {
		t.Fatal(err)
	}
	known := s.encode()
	later := known + "\x0e\x03new" + "\xc8\x01\x00"
	read, err := decodeState(later)
	if err != nil {
		t.Fatal(err)
	}
	sameState(t, &read, &s)
	for given, want := range map[string]string{known: known, later: known, olderState: olderState} {
		f := Open(Window{})
		r, err := f.Account("acme").Resource("living", &schemas.Snapshot{State: given})
		if err != nil {
			t.Fatal(err)
		}
		if given == olderState {
			r.start.Before = nil // with it the state is written anew
		}
		if err := r.Cut(); err != nil {
			t.Fatal(err)
		}
		if d := r.Derived(); d.Err != nil || d.Snapshot == nil || d.Snapshot.State != want {
			t.Errorf("%q goes on as %+v", given, d)
		}
	}
}
