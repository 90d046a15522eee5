package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/schemas"
)

// event is a line of a scenario.
func event(id, kind, resource, at, data string) string {
	if data != "" {
		data = "," + data
	}
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/servers","type":%q,"subject":%q,"time":%q,"data":{"account_id":"acme"%s}}`,
		id, kind, resource, at, data)
}

func created(id, resource, at, items, coupon string) string {
	data := `"mode":"postpaid","resource_name":"Web","product":"vServer","service":"Compute","items":[` + items + `]`
	if coupon != "" {
		data += `,"coupon":{"code":"TET","value":"` + coupon + `"}`
	}
	return event(id, "resource.created", resource, at, data)
}

func used(id, resource, at, item, value string) string {
	return strings.ReplaceAll(event(id, "usage.recorded", resource, at, `"item":"`+item+`","value":"`+value+`"`), "/servers", "/meter")
}

// explained is a scenario whose every number below was worked by hand.
func explained() []string {
	const disk = `{"item":"disk","unit":"GB","unit_price":"%s","meter":"time_weighted"}`
	return []string{
		created("c-1", "srv-1", "2025-10-01T00:00:00+07:00",
			`{"item":"server","unit":"server","unit_price":"432000","quantity":"1","discount_percent":"15","tax_percent":"8"},`+
				`{"item":"out","unit":"GB","unit_price":"1000","meter":"sum","per":"use","tax_percent":"10","free_quantity":"3"}`, "100000"),
		used("u-1", "srv-1", "2025-10-02T08:00:00+07:00", "out", "5"),
		used("u-2", "srv-1", "2025-10-03T08:00:00+07:00", "out", "2.5"),
		used("u-2", "srv-1", "2025-10-03T08:00:00+07:00", "out", "2.50"), // a duplicate
		event("s-1", "resource.suspended", "srv-1", "2025-10-11T00:00:00+07:00", ""),
		used("u-x", "srv-1", "2025-10-20T08:00:00+07:00", "out", "9"), // while suspended

		// One minute: 165,000 / 43,200 is 275/72.
		created("c-2", "minute", "2025-10-05T00:00:00+07:00", `{"item":"server","unit":"server","unit_price":"165000","quantity":"1","tax_percent":"10"}`, ""),
		event("d-2", "resource.deleted", "minute", "2025-10-05T00:00:30+07:00", ""),

		// WD7: 12,345 minutes are 8 days, 13 hours and 45 minutes.
		created("c-3", "d7", "2025-10-01T00:00:00+07:00",
			`{"item":"server","unit":"server","unit_price":"165000","quantity":"3","discount_percent":"15","tax_percent":"8"}`, "1000"),
		event("d-3", "resource.deleted", "d7", "2025-10-09T13:45:00+07:00", ""),

		// Ten days: five at 10 GB, which hold from before, and five at 30.
		created("c-4", "disk", "2025-10-01T00:00:00+07:00", fmt.Sprintf(disk, "432000"), ""),
		used("u-4", "disk", "2025-10-06T00:00:00+07:00", "disk", "10"),
		event("r-4", "resource.resized", "disk", "2025-10-11T00:00:00+07:00", `"items":[`+fmt.Sprintf(disk, "864000")+`]`),
		used("u-5", "disk", "2025-10-16T00:00:00+07:00", "disk", "30"),
		event("d-4", "resource.deleted", "disk", "2025-10-21T00:00:00+07:00", ""),

		// A server that lives for the month, with more usage than is listed.
		created("c-5", "busy", "2025-10-01T00:00:00+07:00", `{"item":"calls","unit":"call","unit_price":"7","meter":"count","per":"use"}`, ""),
	}
}

// Gross 132,192 and 4,950 are 137,142 together: of 100,000 the parts are
// 96,390.60 and 3,609.40, so 96,391 and 3,609.
const explainedInvoice = `{code}: invoice of account acme, resource srv-1 (Web), month 2025-10
issued by run 1, which noted its cutoff at 2025-11-05T12:00:00+07:00; total 37142 VND

1. server, from 2025-10-01T00:00:00+07:00 to 2025-10-11T00:00:00+07:00
   opened by   resource.created /servers c-1 at 2025-10-01T00:00:00.000+07:00 ({c-1})
   closed by   resource.suspended /servers s-1 at 2025-10-11T00:00:00.000+07:00 ({s-1})
   exact       14400 min × 432000 × 1 × (100 - 15) / (100 × 43200 min) = 122400
   exact tax   exact × 8 / 100 = 9792
   gross       132192 rounded: 132192
   tax         rounded: 9792; before tax: 132192 - 9792 = 122400
   coupon      "TET" of 100000, brought by /servers c-1: 0 used before, 100000 left; of the period's gross of 137142 this line has 132192: 96391
   total       122400 + 9792 tax - 96391 coupon = 35801

2. out, from 2025-10-01T00:00:00+07:00 to 2025-10-11T00:00:00+07:00
   opened by   resource.created /servers c-1 at 2025-10-01T00:00:00.000+07:00 ({c-1})
   closed by   resource.suspended /servers s-1 at 2025-10-11T00:00:00.000+07:00 ({s-1})
   usage       sum of 2 events: 7.5 GB
               5  usage.recorded /meter u-1 at 2025-10-02T08:00:00.000+07:00 ({u-1})
               2.5  usage.recorded /meter u-2 at 2025-10-03T08:00:00.000+07:00 ({u-2})
   free        3, of which 0 was used before, 3 is taken here: 4.5 GB
   exact       1000 × 4.5 × (100 - 0) / 100 = 4500
   exact tax   exact × 10 / 100 = 450
   gross       4950 rounded: 4950
   tax         rounded: 450; before tax: 4950 - 450 = 4500
   coupon      "TET" of 100000, brought by /servers c-1: 0 used before, 100000 left; of the period's gross of 137142 this line has 4950: 3609
   total       4500 + 450 tax - 3609 coupon = 1341
`

// Two GB more came late: gross 7,150 of 139,342, so that the parts of the coupon
// are 94,868.74 and 5,131.26, so 94,869 and 5,131.
const explainedAdjustment = `{adjustment}: adjustment of account acme, resource srv-1 (Web), month 2025-10
issued by run 2, which noted its cutoff at 2025-11-05T12:00:00+07:00; total 2200 VND
late events: 1
  usage.recorded /meter u-3 at 2025-10-05T08:00:00.000+07:00 ({u-3})

1. server, from 2025-10-01T00:00:00+07:00 to 2025-10-11T00:00:00+07:00
   takes back  the line as {code} invoiced it
   opened by   resource.created /servers c-1 at 2025-10-01T00:00:00.000+07:00 ({c-1})
   closed by   resource.suspended /servers s-1 at 2025-10-11T00:00:00.000+07:00 ({s-1})
   exact       14400 min × 432000 × 1 × (100 - 15) / (100 × 43200 min) = 122400
   exact tax   exact × 8 / 100 = 9792
   gross       132192 rounded: 132192
   tax         rounded: 9792; before tax: 132192 - 9792 = 122400
   coupon      "TET" of 100000, brought by /servers c-1: 0 used before, 100000 left; of the period's gross of 137142 this line has 132192: 96391
   total       -122400 + -9792 tax - -96391 coupon = -35801

2. server, from 2025-10-01T00:00:00+07:00 to 2025-10-11T00:00:00+07:00
   opened by   resource.created /servers c-1 at 2025-10-01T00:00:00.000+07:00 ({c-1})
   closed by   resource.suspended /servers s-1 at 2025-10-11T00:00:00.000+07:00 ({s-1})
   exact       14400 min × 432000 × 1 × (100 - 15) / (100 × 43200 min) = 122400
   exact tax   exact × 8 / 100 = 9792
   gross       132192 rounded: 132192
   tax         rounded: 9792; before tax: 132192 - 9792 = 122400
   coupon      "TET" of 100000, brought by /servers c-1: 0 used before, 100000 left; of the period's gross of 139342 this line has 132192: 94869
   total       122400 + 9792 tax - 94869 coupon = 37323

3. out, from 2025-10-01T00:00:00+07:00 to 2025-10-11T00:00:00+07:00
   takes back  the line as {code} invoiced it
   opened by   resource.created /servers c-1 at 2025-10-01T00:00:00.000+07:00 ({c-1})
   closed by   resource.suspended /servers s-1 at 2025-10-11T00:00:00.000+07:00 ({s-1})
   usage       sum of 2 events: 7.5 GB
               5  usage.recorded /meter u-1 at 2025-10-02T08:00:00.000+07:00 ({u-1})
               2.5  usage.recorded /meter u-2 at 2025-10-03T08:00:00.000+07:00 ({u-2})
   free        3, of which 0 was used before, 3 is taken here: 4.5 GB
   exact       1000 × 4.5 × (100 - 0) / 100 = 4500
   exact tax   exact × 10 / 100 = 450
   gross       4950 rounded: 4950
   tax         rounded: 450; before tax: 4950 - 450 = 4500
   coupon      "TET" of 100000, brought by /servers c-1: 0 used before, 100000 left; of the period's gross of 137142 this line has 4950: 3609
   total       -4500 + -450 tax - -3609 coupon = -1341

4. out, from 2025-10-01T00:00:00+07:00 to 2025-10-11T00:00:00+07:00
   opened by   resource.created /servers c-1 at 2025-10-01T00:00:00.000+07:00 ({c-1})
   closed by   resource.suspended /servers s-1 at 2025-10-11T00:00:00.000+07:00 ({s-1})
   usage       sum of 3 events: 9.5 GB
               5  usage.recorded /meter u-1 at 2025-10-02T08:00:00.000+07:00 ({u-1})
               2.5  usage.recorded /meter u-2 at 2025-10-03T08:00:00.000+07:00 ({u-2})
               2  usage.recorded /meter u-3 at 2025-10-05T08:00:00.000+07:00 ({u-3})
   free        3, of which 0 was used before, 3 is taken here: 6.5 GB
   exact       1000 × 6.5 × (100 - 0) / 100 = 6500
   exact tax   exact × 10 / 100 = 650
   gross       7150 rounded: 7150
   tax         rounded: 650; before tax: 7150 - 650 = 6500
   coupon      "TET" of 100000, brought by /servers c-1: 0 used before, 100000 left; of the period's gross of 139342 this line has 7150: 5131
   total       6500 + 650 tax - 5131 coupon = 2019
`

// fill puts codes and the addresses of events in their places.
func (w *town) fill(t *testing.T, text string, codes map[string]string) string {
	t.Helper()
	for name, code := range codes {
		text = strings.ReplaceAll(text, "{"+name+"}", code)
	}
	for {
		_, after, found := strings.Cut(text, "({")
		if !found {
			return text
		}
		id, _, _ := strings.Cut(after, "}")
		at := w.text(t, "SELECT concat(topic, '/', toString(partition), '/', toString(offset)) FROM events WHERE id = '%s' ORDER BY offset LIMIT 1", id)
		text = strings.ReplaceAll(text, "({"+id+"}", "("+at)
	}
}

func TestExplainOnTheEngines(t *testing.T) {
	w := startTown(t, november2025(), october2025())
	w.play(t, explained()...)
	var calls []string
	for i := range 12 {
		calls = append(calls, used(fmt.Sprintf("k-%02d", i), "busy", fmt.Sprintf("2025-10-%02dT08:00:00+07:00", 10+i), "calls", "1"))
	}
	w.play(t, append(calls, `{"seal":"2025-10"}`)...)
	code := func(resource, day string) string {
		start, err := time.Parse(time.RFC3339, "2025-10-"+day+"T00:00:00+07:00")
		if err != nil {
			t.Fatal(err)
		}
		return schemas.InvoiceCode("acme", resource, october2025(), start)
	}
	codes := map[string]string{"code": code("srv-1", "01"), "adjustment": schemas.AdjustmentCode("acme", "srv-1", october2025(), 2)}
	t.Run("an invoice", func(t *testing.T) {
		got := w.command(t, "", "explain", codes["code"])
		sameText(t, got.stdout+got.stderr, w.fill(t, explainedInvoice, codes))
	})
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"a result without an end is given as a fraction", []string{code("minute", "05")}, 0, []string{
			"1 min × 165000 × 1 × (100 - 0) / (100 × 43200 min) = 3.819444444444… = 275/72\n",
			"exact × 10 / 100 = 0.381944444444… = 55/144\n", "gross       4.201388888888… = 605/144 rounded: 4\n",
		}},
		{"WD7", []string{code("d7", "01")}, 0, []string{
			"12345 min × 165000 × 3 × (100 - 15) / (100 × 43200 min) = 120235.15625\n", "= 9618.8125\n",
			"129853.96875 rounded: 129854\n", "total       120235 + 9619 tax - 1000 coupon = 128854\n",
		}},
		{"a level that holds from before", []string{code("disk", "11")}, 0, []string{
			"opened by   resource.resized /servers r-4", "time_weighted of 1 events: 20 GB", "level at the start: 10  usage.recorded /meter u-4",
			"14400 min × 864000 × 20 × (100 - 0) / (100 × 43200 min) = 5760000\n",
		}},
		{"a level that does not", []string{code("disk", "01")}, 0, []string{"time_weighted of 1 events: 5 GB\n               10  usage.recorded /meter u-4"}},
		{"many events: first and last", []string{code("busy", "01")}, 0, []string{
			"closed by   nothing: it goes on past the month", "count of 12 events: 12 call\n", "first: 1  usage.recorded /meter k-00", "last: 1  usage.recorded /meter k-11",
		}},
		{"many events: all", []string{code("busy", "01"), "--all"}, 0, []string{"k-00", "k-05", "k-10", "k-11"}},
		{"no such invoice", []string{"INV-2025-10-00000000000000000000"}, 1, []string{`there is no invoice "INV-2025-10-00000000000000000000"`}},
		{"a format that there is not", []string{codes["code"], "--format", "csv"}, 2, []string{"choose text or json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.command(t, "", append([]string{"explain"}, c.args...)...)
			got.stdout += got.stderr
			checkOutcome(t, got, c.code, c.want, nil)
		})
	}
	t.Run("as JSON", func(t *testing.T) {
		var x audit.Explanation
		got := w.command(t, "", "explain", codes["code"], "--format", "json")
		if err := json.Unmarshal([]byte(got.stdout), &x); err != nil {
			t.Fatalf("%v: %s", err, got.stdout)
		}
		if len(x.Lines) != 2 || x.TotalAmount != "37142" || x.Lines[1].Usage.FreeTaken != "3" || x.Lines[1].Coupon.Share != "3609" ||
			x.Lines[0].Price.Exact != "122400" || x.Lines[0].ClosedBy.ID != "s-1" {
			t.Errorf("got %+v", x)
		}
	})
	w.play(t, used("u-3", "srv-1", "2025-10-05T08:00:00+07:00", "out", "2"), event("f-2", "resource.provision_failed", "minute", "2025-10-05T00:00:10+07:00", ""),
		`{"seal":"2025-10"}`)
	t.Run("an adjustment", func(t *testing.T) {
		got := w.command(t, "", "explain", codes["adjustment"])
		sameText(t, got.stdout+got.stderr, w.fill(t, explainedAdjustment, codes))
	})
	t.Run("an adjustment of a line that is gone", func(t *testing.T) {
		got := w.command(t, "", "explain", schemas.AdjustmentCode("acme", "minute", october2025(), 2))
		checkOutcome(t, got, 0, []string{
			"late events: 1\n  resource.provision_failed /servers f-2", "takes back  the line as " + code("minute", "05") + " invoiced it\n",
			"opened by   resource.created /servers c-2", "the events no longer give this line",
			"gross       4.201388888888… = 605/144 rounded: 4\n", "total       -4 + 0 tax - 0 coupon = -4\n",
		}, nil)
	})
	t.Run("what was explained is what is stored", func(t *testing.T) {
		if got := w.command(t, "", "verify", "--month", "2025-10"); got.code != 0 {
			t.Errorf("verify ended with %d:\n%s%s", got.code, got.stdout, got.stderr)
		}
		w.changed(t, "invoice_lines", func(table, kept string) {
			w.exec(t, "INSERT INTO %s SELECT * REPLACE (quantity + 1 AS quantity) FROM %s WHERE invoice_code = '%s'", table, kept, code("d7", "01"))
		}, func() {
			checkOutcome(t, w.command(t, "", "explain", code("d7", "01")), 1, nil, []string{"run reckon verify"})
		})
	})
}

// T3: the event whose level holds is the one that the fold let hold, whatever other events
// have its value; one of a void stretch or of another life is never named.
func TestExplainNamesTheEventWhoseLevelHolds(t *testing.T) {
	const disk = `{"item":"disk","unit":"GB","unit_price":"%s","meter":"time_weighted"}`
	first, second := fmt.Sprintf(disk, "432000"), fmt.Sprintf(disk, "864000")
	resized := func(id, resource, at string) string {
		return event(id, "resource.resized", resource, at, `"items":[`+second+`]`)
	}
	lines := []string{
		// Recovered, used and failed: the level of before holds, and not the void one that
		// came after it with the same value.
		created("v1", "void", "2025-10-01T00:00:00+07:00", first, ""),
		used("v2", "void", "2025-10-02T00:00:00+07:00", "disk", "10"),
		event("v3", "resource.deleted", "void", "2025-10-05T00:00:00+07:00", ""),
		event("v4", "resource.recovered", "void", "2025-10-06T00:00:00+07:00", ""),
		used("v5", "void", "2025-10-06T02:00:00+07:00", "disk", "10"),
		event("v6", "resource.provision_failed", "void", "2025-10-06T03:00:00+07:00", ""),
		event("v7", "resource.recovered", "void", "2025-10-07T00:00:00+07:00", ""),
		// A new life begins at nothing, whatever the one before had.
		created("l1", "lives", "2025-10-01T00:00:00+07:00", first, ""),
		used("l2", "lives", "2025-10-02T00:00:00+07:00", "disk", "0"),
		event("l3", "resource.deleted", "lives", "2025-10-05T00:00:00+07:00", ""),
		created("l4", "lives", "2025-10-06T00:00:00+07:00", second, ""),
		// A level of nothing holds too, and so does one from while it was suspended.
		created("z1", "zero", "2025-10-01T00:00:00+07:00", first, ""),
		used("z2", "zero", "2025-10-02T00:00:00+07:00", "disk", "0"),
		resized("z3", "zero", "2025-10-11T00:00:00+07:00"),
		created("s1", "stopped", "2025-10-01T00:00:00+07:00", first, ""),
		used("s2", "stopped", "2025-10-02T00:00:00+07:00", "disk", "7"),
		event("s3", "resource.suspended", "stopped", "2025-10-05T00:00:00+07:00", ""),
		used("s4", "stopped", "2025-10-06T00:00:00+07:00", "disk", "7"),
		event("s5", "resource.resumed", "stopped", "2025-10-11T00:00:00+07:00", ""),
		// One that another value replaces in the first minute holds for none.
		created("r1", "replaced", "2025-10-01T00:00:00+07:00", first, ""),
		used("r2", "replaced", "2025-10-02T00:00:00+07:00", "disk", "5"),
		resized("r3", "replaced", "2025-10-11T00:00:00+07:00"),
		used("r4", "replaced", "2025-10-11T00:00:10+07:00", "disk", "5"),
	}
	w := startTown(t, november2025(), october2025())
	w.play(t, append(lines, `{"seal":"2025-10"}`)...)
	for resource, want := range map[string]string{"void": "v2", "lives": "", "zero": "z2", "stopped": "s4", "replaced": ""} {
		code := w.text(t, "SELECT argMax(code, period_start) FROM invoices WHERE resource_id = '%s'", resource)
		got := w.command(t, "", "explain", code, "--format", "json")
		var x audit.Explanation
		if err := json.Unmarshal([]byte(got.stdout), &x); err != nil || got.code != 0 {
			t.Fatalf("%s: ended with %d, %v:\n%s%s", resource, got.code, err, got.stdout, got.stderr)
		}
		named := ""
		if level := x.Lines[0].Usage.LevelAtStart; level != nil {
			named = level.ID
		}
		if named != want {
			t.Errorf("%s: the level at the start is that of %q, want %q", resource, named, want)
		}
	}
}
