package migrations

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func render(t *testing.T, target Target) string {
	t.Helper()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i := range all {
		statements, err := all[i].Statements(target)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			fmt.Fprintf(&text, "%s;\n\n", s)
		}
	}
	return text.String()
}

func TestTheTextForAClusterIsTheGoldenOne(t *testing.T) {
	const golden = "testdata/cluster.golden"
	got := render(t, Target{Cluster: "billing", Digits: 2})
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(golden), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the migrations for a cluster differ from %s; run with UPDATE=1 and read the diff", golden)
	}
}

func TestEveryStatementKnowsItsClusterAndMayBeRepeated(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		plain, err := all[i].Statements(Target{})
		if err != nil {
			t.Fatal(err)
		}
		clustered, err := all[i].Statements(Target{Cluster: "c-1.x"})
		if err != nil {
			t.Fatal(err)
		}
		for n := range plain {
			head, _, _ := strings.Cut(plain[n], "\n")
			if !repeatable(plain[n]) && !strings.HasPrefix(head, "CREATE OR REPLACE VIEW ") &&
				!strings.HasPrefix(head, "DELETE FROM ") && !strings.Contains(head, " MATERIALIZE ") && !setsOnly(plain[n]) {
				t.Errorf("%s: %q neither says IF NOT EXISTS or OR REPLACE nor does what may be done again", all[i].Name, head)
			}
			if strings.Contains(plain[n], "CLUSTER") || strings.Contains(plain[n], "Replicated") {
				t.Errorf("%s: %q names a cluster where there is none", all[i].Name, head)
			}
			head, _, _ = strings.Cut(clustered[n], "\n")
			if !strings.Contains(head, " ON CLUSTER 'c-1.x'") {
				t.Errorf("%s: %q does not run on the cluster", all[i].Name, head)
			}
			isTable := strings.HasPrefix(head, "CREATE TABLE")
			if isTable != strings.Contains(clustered[n], "ENGINE = ReplicatedReplacingMergeTree") {
				t.Errorf("%s: %q: a table on a cluster, and only that, is replicated", all[i].Name, head)
			}
		}
	}
}

// repeatable tells whether every part of a statement looks whether it was done. An
// order that is set to what it is stays as it is (testMigrationsAgain).
func repeatable(statement string) bool {
	head, _, _ := strings.Cut(statement, "\n")
	if !strings.HasPrefix(head, "ALTER TABLE ") {
		return strings.Contains(head, " IF NOT EXISTS ")
	}
	parts, looks := changes.FindAllString(statement, -1), looking.FindAllString(statement, -1)
	return len(looks) > 0 && len(parts) == len(looks)
}

var (
	changes = regexp.MustCompile(`\b(ADD|DROP) `)
	looking = regexp.MustCompile(`\b(ADD (COLUMN|INDEX|PROJECTION) IF NOT EXISTS|DROP PROJECTION IF EXISTS) `)
)

// setsOnly tells whether a statement does nothing but set settings of a table:
// one that did more besides would not reach every replica by ON CLUSTER.
func setsOnly(statement string) bool {
	head, rest, _ := strings.Cut(statement, "\n")
	return strings.HasPrefix(head, "ALTER TABLE ") && strings.HasPrefix(rest, "    MODIFY SETTING ") &&
		!strings.Contains(rest, "\n")
}

func TestTargetsThatCannotBeFilledInAreRefused(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]Target{
		"a quote in the cluster's name":    {Cluster: "a' SYNC; DROP DATABASE x; --"},
		"a space in the cluster's name":    {Cluster: "a b"},
		"a negative number of decimals":    {Digits: -1},
		"more decimals than any money has": {Digits: 19},
	} {
		t.Run(name, func(t *testing.T) {
			if statements, err := all[0].Statements(target); err == nil {
				t.Errorf("got %q, want an error", statements)
			}
		})
	}
}
