package codec

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

func TestCanonicalDataIsWhatTheContractSays(t *testing.T) {
	for _, c := range []struct{ name, event, want string }{
		{
			"defaults filled in, numbers plain, keys in order", createdEvent,
			`{"account_id":"acc-1","resource_name":"web","product":"vServer","service":"instance","items":[` +
				`{"item":"vcpu","unit":"vCPU","unit_price":"55000","quantity":"2","per":"30d","discount_percent":"0","tax_percent":"0"},` +
				`{"item":"traffic","unit":"GB","unit_price":"800.5","meter":"sum","per":"use","discount_percent":"0","tax_percent":"0","free_quantity":"0"}],` +
				`"coupon":{"code":"C","value":"20000"},"auto_renew":false}`,
		},
		{"an account's", accountEvent, `{"account_id":"acc-1","mode":"postpaid"}`},
		{"a usage event's", usageEvent, `{"account_id":"acc-1","item":"traffic","value":"5.56"}`},
		{
			"times in UTC with milliseconds, texts with two escapes",
			strings.Replace(strings.Replace(strings.Replace(accountEvent, `account.mode_changed`, `resource.renewed`, 1),
				`"mode":"postpaid"`, `"expires_at":"2026-11-01T00:00:00.5+07:00"`, 1), `"account_id":"acc-1"`, `"account_id":"\u0061\"\/\\<\u2028"`, 1),
			`{"account_id":"a\"/\\<` + "\u2028" + `","expires_at":"2026-10-31T17:00:00.500Z"}`,
		},
	} {
		e, reason := reasonOf(t, structured(c.event))
		if got := string(AppendData(nil, &e)); reason != "" || got != c.want {
			t.Errorf("%s: %s\n%s, want\n%s", c.name, reason, got, c.want)
		}
	}
}

// The digest is stored, so it must not change: this one was computed by
// another program over the bytes that the comment of Content describes.
func TestContentIsTheDigestOfTypeSubjectTimeSequenceAndData(t *testing.T) {
	e, _ := reasonOf(t, structured(strings.Replace(accountEvent, firstName, `"sequence":7,`+firstName, 1)))
	if got, want := Content(&e), (schemas.Hash{0x55, 0x83, 0x52, 0x5d, 0x61, 0xe1, 0x4f, 0xf3, 0x8e, 0x2d, 0x37, 0x4a, 0x52, 0x51, 0x1f, 0x94}); got != want {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestAnEventHoweverItIsWrittenIsReadAsItself(t *testing.T) {
	p := compileSchemas(t)
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		text := writer{t}.event(&e)
		got, err := Parser{Currency: vnd()}.Parse(structured(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !same(&got, &e) {
			t.Fatalf("%s\nwas read as %+v", text, got)
		}
		// A8, A11: the identity is source and id, the content all else.
		if Content(&got) != Content(&e) || schemas.Identity(got.Source, got.ID) != schemas.Identity(e.Source, e.ID) {
			t.Fatalf("%s\nhas another content", text)
		}
		p.agree(t, []byte(text), "")
	})
}

func TestCanonicalDataRestoresTheEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		// The row of the store, with leftovers of another in it.
		row := schemas.Event{
			Source: e.Source, ID: e.ID, Type: e.Type, AccountID: e.AccountID, ResourceID: e.ResourceID, Time: e.Time,
			Sequence: e.Sequence, Usage: schemas.Usage{Item: e.Item, Value: e.Value},
		}
		data := ""
		if e.Type != schemas.UsageRecorded {
			data = string(AppendData(nil, &e))
			row.AutoRenew, row.Coupon, row.Items = true, &schemas.Coupon{}, []schemas.Item{{}}
		}
		if err := SetData(&row, data); err != nil || !same(&row, &e) || Content(&row) != Content(&e) {
			t.Fatalf("%s gave %+v, want %+v: %v", data, row, e, err)
		}
	})
}

func TestDamagedDataIsAnErrorAndNeverAnotherValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		data := string(AppendData(nil, &e))
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		to := rapid.IntRange(at, min(len(data), at+30)).Draw(t, "to")
		insert := rapid.SampledFrom([]string{"", "0", " ", `"`, `\`, ",", "}", "\x00", "\xff", "null", "e1", ".0", "-"}).Draw(t, "insert")
		damaged := data[:at] + insert + data[to:]
		row := schemas.Event{Type: e.Type, AccountID: e.AccountID, Time: e.Time}
		before := row
		if err := SetData(&row, damaged); err != nil {
			if !same(&row, &before) {
				t.Fatalf("an error changed the event: %+v", row)
			}
			return
		}
		if e.Type != schemas.UsageRecorded && string(AppendData(nil, &row)) != damaged {
			t.Fatalf("%s was taken for %s", damaged, AppendData(nil, &row))
		}
	})
}

// Older versions took text that turns the direction of writing: their months stay.
func TestTextThatWasTakenOnceIsReadFromTheStore(t *testing.T) {
	e := schemas.Event{Type: schemas.AccountModeChanged, AccountID: "a\u202eb\u2066"}
	data := "{\"account_id\":\"a\u202eb\u2066\",\"mode\":\"prepaid\"}"
	if err := SetData(&e, data); err != nil || e.Mode != schemas.Prepaid || string(AppendData(nil, &e)) != data {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestDataThatNoEventHasIsRefused(t *testing.T) {
	const item = `{"item":"a","unit":"u","unit_price":"1","quantity":"1","per":"30d","discount_percent":"0","tax_percent":"0"}`
	wrap := func(items string) string { return `{"account_id":"a","items":[` + items + `]}` }
	replace := func(old, with string) string { return wrap(strings.Replace(item, old, with, 1)) }
	if err := SetData(&schemas.Event{Type: schemas.ResourceResized, AccountID: "a"}, wrap(item)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"nothing":                        "",
		"another account":                `{"account_id":"b","items":[` + item + `]}`,
		"no items":                       wrap(""),
		"an item twice":                  wrap(item + "," + item),
		"a comma too many":               wrap(item + ","),
		"something behind":               wrap(item) + " ",
		"a number that is not canonical": replace(`"unit_price":"1"`, `"unit_price":"1.0"`),
		"a number with an exponent":      replace(`"unit_price":"1"`, `"unit_price":"1e0"`),
		"a number below zero":            replace(`"unit_price":"1"`, `"unit_price":"-1"`),
		"an empty number":                replace(`"unit_price":"1"`, `"unit_price":""`),
		"an empty unit":                  replace(`"u"`, `""`),
		"a control character":            replace(`"u"`, `"\n"`),
		"an escape that is not needed":   replace(`"u"`, `"\/"`),
		"a percentage above 100":         replace(`"tax_percent":"0"`, `"tax_percent":"100.1"`),
		"per use without a meter":        replace("30d", "use"),
		"a per that there is not":        replace("30d", "2d"),
		"a meter that there is not":      replace(`"quantity":"1"`, `"meter":""`),
		"neither quantity nor meter":     replace(`"quantity":"1",`, ``),
	} {
		if err := SetData(&schemas.Event{Type: schemas.ResourceResized, AccountID: "a"}, data); err == nil {
			t.Errorf("%s: %s was taken", name, data)
		}
	}
	renewed := schemas.Event{Type: schemas.ResourceRenewed, AccountID: "a", Time: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}
	for _, end := range []string{"2026-10-01T00:00:00.000Z", "2026-11-01T00:00:00Z", "2026-11-01T07:00:00.000+07:00", ""} {
		if err := SetData(&renewed, `{"account_id":"a","expires_at":"`+end+`"}`); err == nil {
			t.Errorf("an end at %q was taken", end)
		}
	}
	if err := SetData(&renewed, `{"account_id":"a","coupon":{"code":"c","value":"0"},"expires_at":"2026-11-01T00:00:00.000Z"}`); err == nil {
		t.Error("a coupon of nothing was taken")
	}
	if err := SetData(&schemas.Event{Type: schemas.UsageRecorded, AccountID: "a"}, `{"account_id":"a"}`); err == nil {
		t.Error("data of a usage event was taken")
	}
	if err := SetData(&schemas.Event{Type: "resource.exploded", AccountID: "a"}, `{"account_id":"a"}`); err == nil {
		t.Error("data of a type that there is not was taken")
	}
}

func TestWhateverDiffersInAnEventDiffersInItsContent(t *testing.T) {
	base, _ := reasonOf(t, structured(createdEvent))
	content := Content(&base)
	for name, change := range map[string]func(*schemas.Event){
		"type":       func(e *schemas.Event) { e.Type = schemas.ResourceRecovered },
		"account":    func(e *schemas.Event) { e.AccountID = "acc-2" },
		"subject":    func(e *schemas.Event) { e.ResourceID = "srv-2" },
		"time":       func(e *schemas.Event) { e.Time = e.Time.Add(time.Millisecond) },
		"sequence":   func(e *schemas.Event) { e.Sequence = 1 },
		"mode":       func(e *schemas.Event) { e.Mode = schemas.Postpaid },
		"name":       func(e *schemas.Event) { e.ResourceName = "we" },
		"product":    func(e *schemas.Event) { e.Product = "x" },
		"service":    func(e *schemas.Event) { e.Service = "x" },
		"item order": func(e *schemas.Event) { e.Items = []schemas.Item{e.Items[1], e.Items[0]} },
		"price": func(e *schemas.Event) {
			e.Items = []schemas.Item{e.Items[0], e.Items[1]}
			e.Items[0].UnitPrice = decimal.New(1, -9)
		},
		"coupon":      func(e *schemas.Event) { e.Coupon = nil },
		"coupon code": func(e *schemas.Event) { e.Coupon = &schemas.Coupon{Code: "D", Value: e.Coupon.Value} },
		"end":         func(e *schemas.Event) { e.ExpiresAt = e.Time.Add(time.Hour) },
		"auto_renew":  func(e *schemas.Event) { e.AutoRenew = true },
	} {
		other := base
		if change(&other); Content(&other) == content {
			t.Errorf("another %s has the same content", name)
		}
	}
	other := base
	if other.Source, other.ID = "x", "y"; Content(&other) != content {
		t.Error("the identity is no part of the content")
	}
}
