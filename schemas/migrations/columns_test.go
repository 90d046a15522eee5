package migrations

import (
	"regexp"
	"strings"
	"testing"
)

// A5, C10, E4: nothing that is stored may be null, which no unique key sees, is a
// float, or a time that a server reads in its own zone.
func TestNoColumnIsNullableAFloatOrATimeOfAnotherZone(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	times, zoned := regexp.MustCompile(`\bDateTime(64)?\b`), regexp.MustCompile(`\bDateTime64\(3, 'UTC'\)`)
	seen := 0
	for i := range all {
		statements, err := all[i].Statements(Target{})
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			for line := range strings.Lines(statement) {
				code, _, _ := strings.Cut(line, "--")
				if strings.Contains(code, "Nullable") || strings.Contains(code, "Float") ||
					len(times.FindAllString(code, -1)) != len(zoned.FindAllString(code, -1)) {
					t.Errorf("%s: %s", all[i].Name, line)
				}
				seen += len(zoned.FindAllString(code, -1))
			}
		}
	}
	if seen == 0 {
		t.Error("no column is a time")
	}
}
