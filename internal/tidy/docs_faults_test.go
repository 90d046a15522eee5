package tidy

import (
	"strings"
	"testing"
)

func TestRoomFaultsAreNamed(t *testing.T) {
	const head = "# A\n\n## The rooms\n\nSo.\n\n| room | owns | may import |\n|---|---|---|\n"
	for name, tc := range map[string]struct{ rows, want string }{
		"every room has a row":    {"| `ingest/` | batches | schemas |\n| `schemas/` pure | nouns | – |\n", ""},
		"two rooms of one row":    {"| `ingest/`, `schemas/` | much | – |\n", ""},
		"a room without a row":    {"| `ingest/` | batches | schemas |\n", "no row for schemas"},
		"a row without a room":    {"| `ingest/`, `schemas/` | much | – |\n| `wallet/` | money | – |\n", "a row for wallet, which is no package"},
		"a row that says less":    {"| `ingest/`, `schemas/` | much |\n", "has 2 columns of 3"},
		"rows of another section": {"\n## Else\n\n| `ingest/`, `schemas/` | much | – |\n", "no row for ingest"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(roomFaults([]string{"ingest", "schemas"}, head+tc.rows), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDependencyFaultsAreNamed(t *testing.T) {
	const mod = "module m\n\ngo 1.26.0\n\nrequire (\n\ta.org/x v1.0.0\n\ta.org/y/v2 v2.0.0\n)\n\nrequire a.org/z v0.1.0\n\nrequire (\n\ta.org/i v1.0.0 // indirect\n)\n"
	const head = "# A\n\n## Direct dependencies\n\nWhy.\n\n| module | for |\n|---|---|\n"
	all := "| `a.org/x` | one |\n| `a.org/y/v2` | two |\n| `a.org/z` | three |\n"
	for name, tc := range map[string]struct{ rows, want string }{
		"all are told":            {all, ""},
		"one is not":              {strings.Replace(all, "| `a.org/z` | three |\n", "", 1), "no reason for a.org/z"},
		"one that went":           {all + "| `a.org/i` | four |\n", "a.org/i, which go.mod does not require directly"},
		"a row without a reason":  {strings.Replace(all, "two", "", 1), "no reason for a.org/y/v2"},
		"rows of another section": {"\n## Else\n\n" + all, "no reason for a.org/x"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(dependencyFaults(mod, head+tc.rows), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDocFaultsAreNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		comments map[string]string
		want     string
	}{
		"a comment in its place": {map[string]string{"doc.go": "Package p is.", "p.go": ""}, ""},
		"none at all":            {map[string]string{"p.go": ""}, "ingest has no package comment in doc.go"},
		"a doc.go without one":   {map[string]string{"doc.go": ""}, "ingest has no package comment in doc.go"},
		"one elsewhere":          {map[string]string{"doc.go": "Package p is.", "p.go": "Package p."}, "ingest has a package comment in p.go"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(docFaults("ingest", tc.comments), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
