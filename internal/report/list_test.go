package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestAListIsTheSameRowsInEachFormat(t *testing.T) {
	for format, want := range map[Format]string{
		Table: "ACCOUNT_ID  OFFSET  VALUE\nacme        7       đĩa\nb\\n\\x00     12345\n",
		CSV:   "account_id,offset,value\nacme,7,đĩa\n\"b\n\x00\",12345,\n",
		JSON:  "[\n{\"account_id\":\"acme\",\"offset\":7,\"value\":\"đĩa\"},\n{\"account_id\":\"b\\n\\u0000\",\"offset\":12345,\"value\":\"\"}\n]\n",
	} {
		var out bytes.Buffer
		l := NewList(&out, format, "account_id", "offset", "value")
		err := errors.Join(l.Write("acme", int32(7), "đĩa"), l.Write("b\n\x00", int64(12345), ""), l.Close())
		if got := out.String(); got != want || err != nil || l.Rows() != 2 {
			t.Errorf("%s is\n%q, %v\nwant\n%q", format, got, err, want)
		}
	}
}

func TestAnEmptyListHasItsHeadAlone(t *testing.T) {
	for format, want := range map[Format]string{Table: "A  B\n", CSV: "a,b\n", JSON: "[\n]\n"} {
		var out bytes.Buffer
		if err := NewList(&out, format, "a", "b").Close(); out.String() != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", format, out.String(), err, want)
		}
	}
}

// However long the list, a page of it waits at most.
func TestALongListIsWrittenAsItComes(t *testing.T) {
	for _, rows := range []int{pageRows, 2*pageRows + 1} {
		var out bytes.Buffer
		l := NewList(&out, Table, "account_id", "offset")
		for i := range rows {
			if err := l.Write("acme", i); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(out.String(), "\n"); got < i+1-pageRows {
				t.Fatalf("%d rows of %d are written", got, i+1)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "\n"); got != rows+1 || strings.Count(out.String(), "ACCOUNT_ID") != 1 || strings.Contains(out.String(), "\n\n") {
			t.Errorf("%d lines of %d rows:\n%.300s", got, rows, out.String())
		}
	}
	if err := NewList(fullDisk{}, Table, "a").Close(); !errors.Is(err, errFull) {
		t.Errorf("the error is %v", err)
	}
}
