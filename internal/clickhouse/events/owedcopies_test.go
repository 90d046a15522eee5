package events

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/schemas"
)

// testOwedCopies: O6: a copy is owed from the first note of it until one says that it
// was written, in whatever order they come and however often.
func testOwedCopies(t *testing.T, s *Store) {
	at := func(log int32, offset int64) schemas.Position {
		return schemas.Position{Log: log, Topic: "billing.usage", Partition: 2, Offset: offset}
	}
	letter := func(p schemas.Position) ingest.Rejected {
		return ingest.Rejected{
			Message: schemas.Message{
				Position: p, Time: clickhousetest.Noon(), Key: []byte("key"), Value: []byte("\x00{" + fmt.Sprint(p.Offset)),
				Headers: []schemas.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte{}}},
			},
			Rejection: schemas.Rejection{Reason: "not_json", Detail: "a sentence"},
		}
	}
	bare := ingest.Rejected{Message: schemas.Message{Position: at(0, 9), Value: []byte{}}, Rejection: schemas.Rejection{Reason: "no_timestamp"}}
	stored := []ingest.Rejected{letter(at(0, 1)), letter(at(0, 2)), letter(at(0, 3)), bare, letter(at(2, 1))}
	if err := clickhousetest.InsertRejects(t.Context(), s, stored...); err != nil {
		t.Fatal(err)
	}
	note := func(written bool, letters ...schemas.Position) {
		t.Helper()
		if err := s.NoteCopies(t.Context(), letters, written); err != nil {
			t.Fatal(err)
		}
	}
	owed := func() (all []ingest.Rejected) {
		t.Helper()
		err := s.OwedCopies(t.Context(), func(r *ingest.Rejected) error {
			all = append(all, *r)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.CountOwedCopies(t.Context())
		if err != nil || n != int64(len(all)) {
			t.Errorf("counted %d (%v) of %d", n, err, len(all))
		}
		return all
	}
	if got := owed(); len(got) != 0 {
		t.Errorf("owed before anything: %v", got)
	}
	note(false, at(0, 1), at(0, 2), at(2, 1), at(0, 9))
	note(true, at(0, 2), at(0, 3))
	note(false, at(0, 2), at(0, 1))
	want := []ingest.Rejected{stored[0], stored[3], stored[4]}
	for _, merged := range []bool{false, true} {
		if merged {
			clickhousetest.Merge(t, config(s), "dead_letter_copies")
		}
		if got := owed(); !reflect.DeepEqual(got, want) {
			t.Errorf("merged %t: owed are\n%+v\nmust be\n%+v", merged, got, want)
		}
	}
	note(true, at(0, 1), at(2, 1), at(0, 9))
	if got := owed(); len(got) != 0 {
		t.Errorf("owed after all were written: %v", got)
	}
	note(false, at(0, 3), at(0, 1), at(0, 7))
	boom := errors.New("boom")
	note(false, at(0, 4))
	if err := clickhousetest.InsertRejects(t.Context(), s, letter(at(0, 4))); err != nil {
		t.Fatal(err)
	}
	if err := s.OwedCopies(t.Context(), func(*ingest.Rejected) error { return boom }); !errors.Is(err, boom) || !strings.Contains(err.Error(), "owed") {
		t.Errorf("a reader that fails: %v", err)
	}
}
