package column

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// drawnRow is a row of one column of each kind.
func drawnRow(t *rapid.T, n int64) Input {
	text := func(what string) string {
		return string(rapid.SliceOfN(rapid.SampledFrom([]byte("a9:'\\,[]\x00\n\xff\xc3\xa9")), 0, 6).Draw(t, what))
	}
	money := func(places int32, most int64) decimal.Decimal {
		return decimal.New(rapid.Int64Range(-most, most).Draw(t, "units"), -places)
	}
	word, fixed, long := &LowCardinalityInput{}, &FixedStrings{Size: 3}, &ArenaInput{Arena: NewArena()}
	word.Reset()
	word.Add(text("word"))
	fixed.Append([]byte(text("fixed") + "\x00\x00\x00")[:3])
	long.Add([]byte(text("long")))
	small, middle, large := &Decimal32Input{Places: 4}, &Decimal128Input{Places: 9}, &Decimal256Input{Places: 2}
	for _, err := range []error{
		small.Add(money(4, 999_999_999)), middle.Add(money(9, 1<<62)), large.Add(money(2, 1<<62).Mul(decimal.New(1, 30))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	n16 := FixedStrings16{{1: byte(rapid.Int32Range(0, 255).Draw(t, "byte"))}}
	flag, byteOf := Bools{rapid.Bool().Draw(t, "flag")}, UInt8s{uint8(rapid.Int32Range(0, 255).Draw(t, "small"))}
	list := rapid.IntRange(0, 3).Draw(t, "length")
	var texts, topics []string
	var partitions Int32s
	var ends Int64s
	for range list {
		texts, topics = append(texts, text("element")), append(topics, text("topic"))
		partitions, ends = append(partitions, rapid.Int32().Draw(t, "partition")), append(ends, rapid.Int64().Draw(t, "end"))
	}
	ms := Int64s{rapid.Int64Range(-1_000_000_000_000, 7_000_000_000_000).Draw(t, "time")}
	return Input{
		{Name: "n", Data: &Int64s{n}},
		{Name: "words", Data: StringsOf(text("text"))},
		{Name: "word", Data: word},
		{Name: "fixed", Data: fixed},
		{Name: "n16", Data: &n16},
		{Name: "long", Data: long},
		{Name: "small", Data: small},
		{Name: "middle", Data: middle},
		{Name: "large", Data: large},
		{Name: "flag", Data: &flag},
		{Name: "byte", Data: &byteOf},
		{Name: "at", Data: Millis(&ms)},
		{Name: "list", Data: ListOf(StringsOf(texts...))},
		{Name: "tuples", Data: ListOf(TupleInput{{Name: "topic", Data: StringsOf(topics...)}, {Name: "partition", Data: &partitions}, {Name: "end", Data: &ends}})},
	}
}

// Whatever a row holds, its text is the same as it is to be inserted and as it is
// stored, and is taken apart again.
func TestTheTextOfARowIsThatOfTheStoredOne(t *testing.T) {
	db := onTheEngine(t)
	err := db.ExecText(t.Context(), `CREATE TABLE rows (n Int64, words String, word LowCardinality(String), fixed FixedString(3), n16 FixedString(16),
		long String, small Decimal(9, 4), middle Decimal(38, 9), large Decimal(76, 2), flag Bool, byte UInt8, at DateTime64(3, 'UTC'), list Array(String),
		tuples Array(Tuple(topic String, partition Int32, end Int64))) ENGINE = MergeTree ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		n++
		row := drawnRow(rt, n)
		want, err := AppendRow(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Insert(t.Context(), "", Insert{Table: "rows", Blocks: []Input{row}}); err != nil {
			t.Fatal(err)
		}
		stored := db.With(fstest.MapFS{"queries/row.sql": {Data: []byte("SELECT " + RowExpression(row) + " FROM rows WHERE n = {n:Int64}")}})
		var got string
		if err := stored.Row(t.Context(), "row", []any{&got}, Bind("n", n)); err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			rt.Fatalf("stored %q\nwant   %q", got, want)
		}
		values, err := RowValues(row, got)
		if err != nil || len(values) != len(row) {
			rt.Fatalf("%v, %v", values, err)
		}
	})
}

func TestARowIsShownColumnByColumn(t *testing.T) {
	topics, partitions, ends := StringsOf("a", "b"), Int32s{1, 2}, Int64s{30, 40}
	at, id := Int64s{1_790_787_600_001}, FixedStrings16{{15: 0xff}}
	row := Input{
		{Name: "text", Data: StringsOf("a:b\x00")},
		{Name: "at", Data: Millis(&at)},
		{Name: "id", Data: &id},
		{Name: "list", Data: ListOf(StringsOf("x", ""))},
		{Name: "ends", Data: ListOf(TupleInput{{Name: "topic", Data: topics}, {Name: "partition", Data: &partitions}, {Name: "end", Data: &ends}})},
	}
	text, err := AppendRow(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	got, err := RowValues(row, string(text))
	var shown [][2]string
	for _, v := range got {
		shown = append(shown, [2]string{v.Name, v.Shown})
	}
	want := [][2]string{
		{"text", "a:b\x00"}, {"at", "2026-09-30T17:00:00.001Z"}, {"id", "000000000000000000000000000000ff"}, {"list", `["x", ""]`}, {"ends", `["a"/1/30, "b"/2/40]`},
	}
	if err != nil || !slices.Equal(shown, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, broken := range []string{"", string(text[:len(text)-1]), string(text) + "1:x", "x:y", "-1:", "99:a"} {
		if _, err := RowValues(row, broken); err == nil {
			t.Errorf("%q is taken for a row", broken)
		}
	}
}
