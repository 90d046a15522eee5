package tidy

import (
	"slices"
	"strings"
	"testing"
)

func TestCitationFaultsAreNamed(t *testing.T) {
	r := references{
		rules:  rules("# Title\n\n1. of no chapter\n\n## 2. Events\n\n## 5. Sealing\n\n0. Begin\n1. Due\n\n### 8.1 Terms\n"),
		worked: firstCells("| id | input |\n|---|---|\n| WD7 | x | y |\n", workedID),
		bugs:   firstCells("| id | what |\n|---|---|\n| A10 | x | y | z |\n", bugID),
		files:  []string{"README.md", "docs/billing.md", "ingest/batch.go", "store/queries/events.sql", "store/lanes.go"},
	}
	for name, tc := range map[string]struct{ file, text, want string }{
		"rules that are there":               {"ingest/a.go", "as contract 2 and 5.1 say (contract sections 5.0, 5.1 and 8.1)", ""},
		"a chapter that is not":              {"ingest/a.go", "so (contract 3)", "ingest/a.go:7 cites contract 3, which is not in docs/billing.md"},
		"a point that is not":                {"ingest/a.go", "contract 5.2", "contract 5.2"},
		"the second of two":                  {"ingest/a.go", "contract 2 and 4", "contract 4"},
		"the end of a range":                 {"ingest/a.go", "contract 2 to 9", "contract 9"},
		"one of a list":                      {"ingest/a.go", "contract sections 2, 6 and 5", "contract 6"},
		"a numbered point of no chapter":     {"ingest/a.go", "contract 0.1", "contract 0.1"},
		"a contract that is no citation":     {"ingest/a.go", "the comment is the contract; 3 of them", ""},
		"a worked number":                    {"ingest/a.go", "WD7: three servers", ""},
		"a worked number that is not":        {"ingest/a.go", "WF1: three servers", "WF1, which is not in docs/billing.md"},
		"a bug":                              {"ingest/a.go", "guards A10", ""},
		"a bug that is not":                  {"ingest/a.go", "guards A10 and J4", "J4, which is not in docs/immunity.md"},
		"a document":                         {"ingest/a.go", "see billing.md, docs/billing.md and README.md", ""},
		"a document that is not":             {"ingest/a.go", "see runbook.md", "runbook.md, which is not in the tree"},
		"a file beside":                      {"ingest/a.go", "batch.go cuts it", ""},
		"a file of another room":             {"store/a.go", "batch.go cuts it", "batch.go"},
		"a file of another room by its path": {"store/a.go", "ingest/batch.go cuts it", ""},
		"a file below":                       {"store/a.go", "events.sql reads them", ""},
		"a file above":                       {"store/queries/a.sql", "merged in lanes.go", ""},
		"a file that is gone":                {"store/a.go", "ledger.go keeps it", "ledger.go"},
		"any file":                           {"store/a.go", "queries/NAME.sql, *.sql", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(citationFaults(passage{tc.file, 7, tc.text}, r), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestPassagesAreCommentsAndTheTextsOfTests(t *testing.T) {
	const source = "// Package p is\n// of contract\n// 2.\npackage p\n\nvar a = \"guards A10, 0001_a.sql\" // why\n"
	texts := func(name string) (all []string) {
		for _, p := range passagesOf(t, name, source) {
			all = append(all, p.text)
		}
		return all
	}
	if got, want := texts("p.go"), []string{"Package p is of contract 2.", "why"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := texts("p_test.go"), []string{"Package p is of contract 2.", "why", "guards A10,"}; !slices.Equal(got, want) {
		t.Errorf("of a test got %q, want %q", got, want)
	}
}

func TestRowFaultsAreNamed(t *testing.T) {
	const head = "| id | what happened | guard | held by |\n|---|---|---|---|\n"
	cited := map[string][]string{"A1": {"a_test.go"}}
	tests := map[string][]string{"TestA": {"a_test.go"}, "TestB": {"b_test.go"}}
	for name, tc := range map[string]struct{ rows, want string }{
		"a row that is held":           {"| A1 | x | y | `TestA` |\n", ""},
		"a row that nobody cites":      {"| A2 | x | y | `TestA` |\n", "A2, which no test cites"},
		"a row without a test":         {"| A1 | x | y | nothing |\n", "A1 names no test"},
		"a test that is gone":          {"| A1 | x | y | `TestA`, `TestC` |\n", "TestC, which is no test"},
		"a test that does not cite it": {"| A1 | x | y | `TestB` |\n", "TestB, whose file does not cite it"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(rowFaults(head+tc.rows, cited, tests), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestLinkFaultsAreNamed(t *testing.T) {
	files := []string{"README.md", "docs/billing.md", "schemas/json/event.json"}
	headings := func(string) []string { return anchors("# The billing contract\n\n## 4. The price (of a line)\n") }
	for name, tc := range map[string]struct{ document, text, want string }{
		"a document":            {"README.md", "[rules](docs/billing.md)", ""},
		"from beside":           {"docs/events.md", "[rules](billing.md#4-the-price-of-a-line)", ""},
		"a folder":              {"docs/events.md", "[schemas](../schemas/json)", ""},
		"elsewhere":             {"README.md", "[CloudEvents](https://cloudevents.io)", ""},
		"a heading of its own":  {"docs/billing.md", "[below](#the-billing-contract)", ""},
		"what code says":        {"README.md", "```sh\ncat [a](b)\n```\n", ""},
		"a document that's not": {"README.md", "[rules](billing.md)", "README.md links to billing.md, which is not in the tree"},
		"a heading that is not": {"README.md", "[rules](docs/billing.md#5)", "no such heading"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(linkFaults(tc.document, tc.text, files, headings), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestADocumentsPassagesAreItsLinesWithoutCode(t *testing.T) {
	got := documentPassages("a.md", "one\n```sh\ntwo\n```\nthree")
	want := []passage{{"a.md", 1, "one"}, {"a.md", 5, "three"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
