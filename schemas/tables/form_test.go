package tables

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// issued is an invoice of two lines in which no two columns are equal.
func issued() (schemas.Invoice, []schemas.Line) {
	month, start := schemas.Month{Year: 2026, Month: 10}, time.UnixMilli(1790787600000).UTC()
	number := decimal.RequireFromString
	first := schemas.Line{
		InvoiceCode: "INV-2026-10-A", AccountID: "account", ResourceID: "resource", ResourceName: "máy chủ", Product: "vServer",
		Service: "Compute", Month: month, Run: 7, PeriodStart: start, PeriodEnd: start.Add(time.Hour), Position: 3, Minutes: 60,
		Quantity: number("2.500000000"), CouponCode: "TẾT",
		Item: schemas.Item{
			Name: "vCPU", Unit: "core", UnitPrice: number("150000.25"), Quantity: number("4"), Meter: schemas.Max, Per: schemas.Per1d,
			DiscountPercent: number("12.5"), TaxPercent: number("10"), FreeQuantity: number("1.5"),
		},
		Amounts: schemas.Amounts{BeforeTax: number("1000"), TaxAmount: number("100"), CouponValue: number("-50"), TotalAmount: number("99999999999999999999")},
	}
	second := first
	second.Position, second.Item.Name, second.Amounts = 1, "RAM", schemas.Amounts{}
	first.Number, second.Number = 4, 5
	return schemas.Invoice{
		Code: "INV-2026-10-A", Kind: schemas.KindAdjustment, AccountID: "account", ResourceID: "resource", Month: month, Run: 7,
		CreatedAt: start.Add(time.Minute), PeriodStart: start, PeriodEnd: start.Add(time.Hour), Lines: 2, Amounts: first.Amounts, LateEvents: 2,
		Late: []schemas.EventRef{
			{Source: "s", ID: `a"b`, Type: schemas.UsageRecorded, Time: start, Position: schemas.Position{Topic: "t", Partition: 1, Offset: 2}},
			{Source: "s", ID: "c", Type: schemas.ResourceCreated, Time: start, Position: schemas.Position{Log: 2, Topic: "u", Partition: 3, Offset: 4}},
		},
	}, []schemas.Line{first, second}
}

// said are the texts that are in the hash of [issued], by form, as a person reads them
// off the columns.
func said() map[uint8][]string {
	line := func(position, item string, amounts ...string) []string {
		return append([]string{
			"2026-10", "account", "resource", "1790787600000", position, "7", "INV-2026-10-A", item, "TẾT", "1790791200000",
			"máy chủ", "vServer", "Compute", "core", "150000.25", "4", "max", "1d", "12.5", "10", "1.5", "60", "2.5",
		}, amounts...)
	}
	form1 := []string{
		"2026-10", "account", "resource", "INV-2026-10-A", "adjustment", "7", "1790787660000", "1790787600000", "1790791200000", "2",
		"1000", "100", "-50", "99999999999999999999", "2",
		`"s""s"`, `"a\"b""c"`, `"usage.recorded""resource.created"`, `"1790787600000""1790787600000"`, `"t""u"`, `"1""3"`, `"2""4"`,
		"2", // lines
	}
	// The second form has the logs of late events.
	form2 := slices.Insert(slices.Clone(form1), slices.Index(form1, `"2""4"`)+1, `"0""2"`)
	// By period start and position, and none is numbered.
	form1 = append(form1, line("1", "RAM", "0", "0", "0", "0")...)
	form1 = append(form1, line("3", "vCPU", "1000", "100", "-50", "99999999999999999999")...)
	// By number.
	form2 = append(form2, line("3", "vCPU", "1000", "100", "-50", "99999999999999999999", "4")...)
	form2 = append(form2, line("1", "RAM", "0", "0", "0", "0", "5")...)
	return map[uint8][]string{1: form1, 2: form2}
}

// golden are the hashes of [issued] by form. What was sealed is verified by them: none
// may change, and each new form has its own.
func golden() map[uint8]string {
	return map[uint8]string{
		1: "2a1888ac798048470ed54ca8e1ac5ceb026a77fb32d0e44238bffddd18beffb1",
		2: "2afb1d6a1c83f16f16db6eae0758adce2e7ff607fc1feb8d89525aabf959cb05",
	}
}

func TestEachFormHasItsGoldenHash(t *testing.T) {
	h, lines := issued()
	for _, form := range StoredForms() {
		var bytes []byte
		for _, text := range said()[form.Number] {
			bytes = append(binary.BigEndian.AppendUint64(bytes, uint64(len(text))), text...)
		}
		spelled := fmt.Sprintf("%x", sha256.Sum256(bytes))
		if got, want := fmt.Sprintf("%x", form.Hash(&h, lines)), golden()[form.Number]; got != want || spelled != want {
			t.Errorf("form %d: %s, spelled out %s, want %q", form.Number, got, spelled, want)
		}
	}
	if got, want := len(golden()), len(StoredForms()); got != want {
		t.Errorf("%d golden hashes for %d forms", got, want)
	}
}

// wider are the lines with one column more, as a later form would have it.
func wider() Table[schemas.Line] {
	return Table[schemas.Line]{"invoice_lines", func(l *schemas.Line, c Columns) {
		line(l, c)
		if c.From(3) {
			c.Text("remark", &l.ResourceName)
		}
	}}
}

func TestANewColumnIsANewForm(t *testing.T) {
	h, lines := issued()
	forms := NewForms(Invoices(), wider())
	if len(forms) != len(StoredForms())+1 {
		t.Fatalf("%d forms, want one more than %d", len(forms), len(StoredForms()))
	}
	var known []*Form
	hashes := map[schemas.Digest]bool{}
	for i := range forms {
		form, err := forms.Of(uint8(i + 1))
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, form)
		hashes[form.Hash(&h, lines)] = true
	}
	if len(hashes) != len(forms) {
		t.Errorf("%d forms have %d hashes", len(forms), len(hashes))
	}
	for _, alone := range StoredForms() {
		if got, want := known[alone.Number-1].Hash(&h, lines), alone.Hash(&h, lines); got != want {
			t.Errorf("form %d has hash %x beside the new one, %x alone", alone.Number, got, want)
		}
	}
	var hasher Hasher // goes from one form to the other
	for _, form := range append(known, known...) {
		if got, want := hasher.Invoice(form, &h, lines), form.Hash(&h, lines); got != want {
			t.Errorf("form %d: %x, want %x", form.Number, got, want)
		}
	}
	old, wide := NewestForm().Line(&lines[0]), known[len(known)-1].Line(&lines[0])
	if len(wide) != len(old)+1 || wide[len(old)] != (Value{"remark", "máy chủ"}) {
		t.Errorf("the columns of the new form are %v", wide)
	}
	for _, number := range []uint8{0, 4, 255} {
		if _, err := forms.Of(number); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("form %d: this program knows forms up to 3", number)) {
			t.Errorf("form %d: %v", number, err)
		}
	}
}
