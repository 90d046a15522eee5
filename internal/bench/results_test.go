package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAMedianIsTheMiddleOrTheMeanOfTheTwoInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0}, {[]float64{3}, 3}, {[]float64{5, 1}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 0.125: "0.12", 9.5: "9.50", 12.34: "12.3", 123.4: "123", 999.6: "1000", 1234: "1 234", 1234567.8: "1 234 568",
	} {
		if got := short(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}

func TestAReportHoldsItsFiguresAndParts(t *testing.T) {
	r := report{Form: "Short form.", Sections: []section{{
		Title: "Ingest", Note: "A note.",
		Figures: []figure{{"ingest_ratio", "ratio", "times", "≥ 1.5", []float64{1.5, 2.5}}},
		Parts:   []parts{{"usage", []part{{"read", 1.25}}}},
	}}}
	var text, data strings.Builder
	if err := r.print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## Ingest\n\nA note.\n",
		"| what  | median | lowest – highest | unit  | wanted |\n| ----- | -----: | ---------------: | ----- | ------ |\n" +
			"| ratio |   2.00 |      1.50 – 2.50 | times | ≥ 1.5  |\n",
		"| part | usage |\n| ---- | ----: |\n| read |  1.25 |\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report misses\n%s\nin\n%s", want, text.String())
		}
	}
	if err := r.json(&data); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(data.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got["ingest_ratio"] != 2.0 {
		t.Errorf("bench.json has the ratio %v, want 2", got["ingest_ratio"])
	}
}
