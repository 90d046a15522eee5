package fold

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

func decodeState(encoded string) (state, error) {
	var s state
	err := s.decode(encoded)
	return s, err
}

// olderState is a state in the oldest form.
const olderState = `{"phase":"suspended","mode":"postpaid","name":"web","product":"compute","service":"vm","items":[` +
	`{"Name":"cpu","Unit":"core","UnitPrice":"165000.5","Quantity":"2","Meter":"","Per":"30d","DiscountPercent":"0","TaxPercent":"10","FreeQuantity":"0"},` +
	`{"Name":"net","Unit":"GB","UnitPrice":"12","Quantity":"0","Meter":"sum","Per":"use","DiscountPercent":"0","TaxPercent":"0","FreeQuantity":"100"}],` +
	`"balance":{"code":"TET","value":"500000","source":"s","id":"b1"},"since":"2026-10-01T03:04:05.678Z",` +
	`"opened":{"Source":"s","ID":"c1","Type":"resource.created","Time":"2026-10-01T03:04:05.678Z","Position":{"Topic":"billing.lifecycle","Partition":3,"Offset":41}},` +
	`"levels":{"cpu":"1.25"},"before":{"phase":"deleted","mode":"prepaid","name":"old","product":"","service":"","items":null,` +
	`"since":"2025-10-01T00:00:00Z","opened":{"Source":"","ID":"","Type":"","Time":"0001-01-01T00:00:00Z","Position":{"Topic":"","Partition":0,"Offset":0}}}}`

func TestAStateOfTheOldestFormIsRead(t *testing.T) {
	s, err := decodeState(olderState)
	if err != nil {
		t.Fatal(err)
	}
	since := time.Date(2026, 10, 1, 3, 4, 5, 678e6, time.UTC)
	switch {
	case s.Phase != suspended || s.Mode != schemas.Postpaid || s.Name != "web" || s.Product != "compute" || s.Service != "vm",
		len(s.Items) != 2 || s.Items[1].Meter != schemas.Sum || !s.Items[0].UnitPrice.Equal(decimal.RequireFromString("165000.5")),
		s.Balance == nil || s.Balance.Code != "TET" || !s.Since.Equal(since) || s.Opened.Position.Offset != 41,
		!s.Levels["cpu"].Equal(decimal.RequireFromString("1.25")), s.Before == nil || s.Before.Name != "old":
		t.Fatalf("read as %+v", s)
	}
	s.forget(since.Add(time.Hour))
	again, err := decodeState(s.encode())
	if err != nil {
		t.Fatal(err)
	}
	sameState(t, &again, &s)
	s.forget(since.Add(25 * time.Hour))
	if late := s.encode(); strings.Contains(late, "old") {
		t.Errorf("what was before is kept for ever: %q", late)
	}
}

// sameState compares by the JSON form, which writes equal values alike.
func sameState(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}, got, want *state,
) {
	t.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
}

func drawState(t *rapid.T, depth int) state {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "30d", "một đồng"}), rapid.StringN(0, 300, -1))
	number := rapid.Custom(func(t *rapid.T) decimal.Decimal {
		whole := rapid.StringMatching(`(0|[1-9][0-9]{0,19})(\.[0-9]{1,9})?`).Draw(t, "number")
		return decimal.RequireFromString(whole)
	})
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(-62135596800000, 7258118399999).Draw(t, "ms")).UTC()
	})
	item := rapid.Custom(func(t *rapid.T) schemas.Item {
		return schemas.Item{
			Name: text.Draw(t, "name"), Unit: text.Draw(t, "unit"), Meter: schemas.Meter(text.Draw(t, "meter")), Per: schemas.Per(text.Draw(t, "per")),
			UnitPrice: number.Draw(t, "price"), Quantity: number.Draw(t, "quantity"),
			DiscountPercent: number.Draw(t, "discount"), TaxPercent: number.Draw(t, "tax"), FreeQuantity: number.Draw(t, "free"),
		}
	})
	s := state{
		Phase: rapid.SampledFrom([]phase{running, suspended, deleted}).Draw(t, "phase"), Mode: schemas.Mode(text.Draw(t, "mode")),
		Name: text.Draw(t, "name"), Product: text.Draw(t, "product"), Service: text.Draw(t, "service"),
		Since: instant.Draw(t, "since"),
		Opened: schemas.EventRef{
			Source: text.Draw(t, "source"), ID: text.Draw(t, "id"), Type: schemas.Type(text.Draw(t, "type")), Time: instant.Draw(t, "time"),
			Position: schemas.Position{Log: rapid.SampledFrom([]int32{0, 2, 3, 1 << 30}).Draw(t, "log"), Topic: text.Draw(t, "topic"), Partition: rapid.Int32().Draw(t, "partition"), Offset: rapid.Int64().Draw(t, "offset")},
		},
	}
	if n := rapid.IntRange(0, 3).Draw(t, "items"); n > 0 {
		s.Items = rapid.SliceOfN(item, n, n).Draw(t, "items")
	}
	if rapid.Bool().Draw(t, "has a balance") {
		s.Balance = &couponBalance{Code: text.Draw(t, "code"), Value: number.Draw(t, "value"), Source: text.Draw(t, "source"), ID: text.Draw(t, "id")}
	}
	if rapid.Bool().Draw(t, "has levels") {
		s.Levels = rapid.MapOfN(text, number, 1, -1).Draw(t, "levels")
	}
	s.LeftOut = rapid.Bool().Draw(t, "levels left out")
	if depth > 0 && rapid.Bool().Draw(t, "has a before") {
		before := drawState(t, depth-1)
		s.Before = &before
	}
	return s
}

func TestAStateIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t, 2)
		encoded := s.encode()
		got, err := decodeState(encoded)
		if err != nil {
			t.Fatal(err)
		}
		sameState(t, &got, &s)
		if again := got.encode(); again != encoded {
			t.Fatalf("written %q, and again %q", encoded, again)
		}
		if _, err := decodeState(encoded + "\x00"); err == nil {
			t.Fatal("a byte too many is not seen")
		}
		// Without the fields that can be missing: before one of them it is whole.
		s.LeftOut, s.Opened.Position.Log = false, 0
		needed := s.encode()
		cut := rapid.IntRange(1, len(needed)-1).Draw(t, "cut")
		if _, err := decodeState(needed[:cut]); err == nil {
			t.Fatalf("a state cut after %d bytes is not seen", cut)
		}
	})
}

func TestNumbersOfEqualValueAreWrittenAlike(t *testing.T) {
	s := state{Phase: running, Items: []schemas.Item{{UnitPrice: decimal.RequireFromString("1200")}}}
	want := s.encode()
	for _, number := range []string{"1200.000", "12e2", "1.2e3"} {
		s.Items[0].UnitPrice = decimal.RequireFromString(number)
		if got := s.encode(); got != want {
			t.Errorf("%s is written as %q, want %q", number, got, want)
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	s, err := decodeState(olderState)
	if err != nil {
		f.Fatal(err)
	}
	encoded := s.encode()
	for _, seed := range []string{"", olderState, encoded, "\x01", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x02"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		s, err := decodeState(encoded)
		if err != nil || encoded == "" || encoded[0] == '{' { // JSON may say what no state does
			return
		}
		written := s.encode()
		again, err := decodeState(written)
		if err != nil {
			t.Fatalf("%q is read, and what is written of it is not: %v", encoded, err)
		}
		sameState(t, &again, &s)
	})
}

func BenchmarkDecodeState(b *testing.B) {
	s, err := decodeState(olderState)
	if err != nil {
		b.Fatal(err)
	}
	encoded := s.encode()
	for name, form := range map[string]string{"bytes": encoded, "json": olderState} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(form)))
			for b.Loop() {
				if _, err := decodeState(form); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.encode()
		}
	})
}
