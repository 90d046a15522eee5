package events

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// TestKnownDataIsReadAsIfItWereNot: whatever was read before, every event gets what
// SetData gives it, and is refused when SetData refuses it.
func TestKnownDataIsReadAsIfItWereNot(t *testing.T) {
	accounts := []string{"a", `a","resource_name":"x`, `qu"ote`, `back\slash`, "ế", ""}
	rapid.Check(t, func(t *rapid.T) {
		known := newKnownData()
		var before schemas.Event
		var data string
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			e := schemas.Event{
				Source: "s", ID: "i", AccountID: rapid.SampledFrom(accounts).Draw(t, "account"), ResourceID: "r",
				Type: rapid.SampledFrom([]schemas.Type{
					schemas.ResourceResized, schemas.ResourceRenewed, schemas.ResourceDeleted, schemas.ResourceSuspended,
					schemas.ResourceRecovered, schemas.AccountModeChanged, schemas.ResourceCreated, "unknown",
				}).Draw(t, "type"),
				Time: clickhousetest.Noon().Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "hour")) * time.Hour),
			}
			// An event often says again what the one before it said, all of it or some.
			if rapid.Bool().Draw(t, "account again") {
				e.AccountID = before.AccountID
			}
			if rapid.Bool().Draw(t, "type again") {
				e.Type = before.Type
			}
			if data == "" || !rapid.Bool().Draw(t, "data again") {
				data = rapid.SampledFrom(someData()).Draw(t, "data")
			}
			before = e
			owner := e.AccountID
			if rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
				owner = rapid.SampledFrom(accounts).Draw(t, "owner")
			}
			bare := schemas.Event{AccountID: owner}
			prefix := codec.AppendData(nil, &bare)
			text := append(prefix[:len(prefix)-1:len(prefix)-1], data...)
			want, got := e, e
			wantErr, gotErr := codec.SetData(&want, string(text)), known.set(&got, string(text))
			if (wantErr == nil) != (gotErr == nil) || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s of %q with %s:\ngot  %+v, %v\nwant %+v, %v", e.Type, e.AccountID, text, got, gotErr, want, wantErr)
			}
			clear(text) // the column's memory is used again
		}
	})
}

// someData are ends of data, after the account: good ones, and some that are not.
func someData() []string {
	item := schemas.Item{
		Name: "cpu", Unit: "u", UnitPrice: decimal.NewFromInt(5), Quantity: decimal.NewFromInt(2), Per: schemas.Per30d,
	}
	var all []string
	add := func(e schemas.Event) {
		e.AccountID = "x"
		text := codec.AppendData(nil, &e)
		all = append(all, string(text[len(`{"account_id":"x"`):]))
	}
	for i := range 3 {
		item.Name = fmt.Sprint("cpu", i)
		items := []schemas.Item{item}
		at := clickhousetest.Noon().Add(time.Duration(i)*time.Hour + time.Minute)
		add(schemas.Event{Type: schemas.ResourceResized, Lifecycle: schemas.Lifecycle{Items: items}})
		add(schemas.Event{Type: schemas.ResourceRenewed, Lifecycle: schemas.Lifecycle{ExpiresAt: at}})
		add(schemas.Event{Type: schemas.ResourceRenewed, Lifecycle: schemas.Lifecycle{ExpiresAt: at, Items: items, Coupon: &schemas.Coupon{Code: "C", Value: decimal.NewFromInt(9)}}})
		add(schemas.Event{
			Type: schemas.ResourceCreated, Lifecycle: schemas.Lifecycle{ResourceName: "n", Product: "p", Service: "s", Mode: schemas.Prepaid, Items: items, ExpiresAt: at},
		})
	}
	add(schemas.Event{Type: schemas.ResourceDeleted})
	add(schemas.Event{Type: schemas.AccountModeChanged, Lifecycle: schemas.Lifecycle{Mode: schemas.Prepaid}})
	return append(all, "", "}}", `,"mode":"none"}`, `,"items":[]}`)
}

// TestKnownDataIsBounded: two generations are all that is kept.
func TestKnownDataIsBounded(t *testing.T) {
	read := newKnownData()
	most := 0
	for i := range 100_000 {
		e := schemas.Event{Type: schemas.ResourceResized, AccountID: "a", Time: clickhousetest.Noon()}
		full := e
		full.Items = []schemas.Item{{Name: fmt.Sprint("i", i), Unit: "u", UnitPrice: decimal.NewFromInt(1), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d}}
		if err := read.set(&e, string(codec.AppendData(nil, &full))); err != nil {
			t.Fatal(err)
		}
		if i%1000 > 0 {
			continue
		}
		kept := 0
		for _, generation := range []map[knownKey]*known{read.young, read.old} {
			for k := range generation {
				kept += knownSize(k.rest)
			}
		}
		most = max(most, kept)
	}
	if most < knownGeneration || most > 2*knownGeneration+1000 {
		t.Errorf("%d bytes were kept, want at most two times %d", most, knownGeneration)
	}
}

// TestWhatANameComesWithIsNotKept: a resource is created once, and would push out
// what many say.
func TestWhatANameComesWithIsNotKept(t *testing.T) {
	known := newKnownData()
	e := schemas.Event{Type: schemas.ResourceCreated, AccountID: "a", Time: clickhousetest.Noon()}
	full := e
	full.ResourceName, full.Product, full.Service, full.Mode = "n", "p", "s", schemas.Postpaid
	full.Items = []schemas.Item{{Name: "i", Unit: "u", UnitPrice: decimal.NewFromInt(1), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d}}
	for range 2 { // a copy is what the event before was
		got := e
		if err := known.set(&got, string(codec.AppendData(nil, &full))); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, full) {
			t.Errorf("got  %+v\nwant %+v", got, full)
		}
	}
	if kept := len(known.young) + len(known.old); kept > 0 {
		t.Errorf("%d are kept", kept)
	}
}

func BenchmarkKnownData(b *testing.B) {
	full := schemas.Event{
		Type: schemas.ResourceResized, AccountID: "acc-000000", Time: clickhousetest.Noon(),
		Lifecycle: schemas.Lifecycle{Items: []schemas.Item{{
			Name: "server", Unit: "server", UnitPrice: decimal.NewFromInt(165000), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d,
			TaxPercent: decimal.NewFromInt(10),
		}}},
	}
	data := codec.AppendData(nil, &full)
	e := schemas.Event{Type: full.Type, AccountID: full.AccountID, Time: clickhousetest.Noon()}
	b.Run("known", func(b *testing.B) {
		known := newKnownData()
		for b.Loop() {
			if err := known.set(&e, string(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		known, others := newKnownData(), make([][]byte, 3*knownGeneration/knownSize(string(data)))
		for i := range others {
			full.Items[0].Name = fmt.Sprint("server ", i)
			others[i] = codec.AppendData(nil, &full)
		}
		for i := 0; b.Loop(); i++ {
			if err := known.set(&e, string(others[i%len(others)])); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("without", func(b *testing.B) {
		for b.Loop() {
			if err := codec.SetData(&e, string(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
