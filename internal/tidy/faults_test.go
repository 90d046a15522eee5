package tidy

import (
	"strings"
	"testing"
)

// The rules themselves: each planted fault is named, and what is right passes.
func TestPlantedFaultsAreNamed(t *testing.T) {
	const kafkaGo, clickhouseGo = "github.com/segmentio/kafka-go", "github.com/ClickHouse/clickhouse-go/v2"
	for name, tc := range map[string]struct {
		p    pkg
		rule func(pkg) []string
		want string // empty: no fault
	}{
		"a stage imports the schemas":                {pkg{ImportPath: module + "ingest", Imports: []string{module + "schemas", "context"}}, importFaults, ""},
		"a stage imports a stage":                    {pkg{ImportPath: module + "ingest", Imports: []string{module + "invoicer"}}, importFaults, "ingest imports invoicer"},
		"a stage's tests import a stage":             {pkg{ImportPath: module + "ingest", TestImports: []string{module + "invoicer"}}, importFaults, "ingest (tests) imports invoicer"},
		"the core imports a stage":                   {pkg{ImportPath: module + "schemas", Imports: []string{module + "ingest"}}, importFaults, "schemas imports ingest"},
		"the naive calculator imports the real one":  {pkg{ImportPath: module + "internal/oracle", Imports: []string{module + "invoicer/rating"}}, importFaults, "invoicer/rating"},
		"the generator imports a stage":              {pkg{ImportPath: module + "internal/generate", Imports: []string{module + "ingest"}}, importFaults, "ingest"},
		"the generator imports schemas":              {pkg{ImportPath: module + "internal/generate", Imports: []string{module + "schemas"}}, importFaults, ""},
		"a room nobody put in the table":             {pkg{ImportPath: module + "internal/util"}, importFaults, "internal/util is in no room"},
		"a room below a stage":                       {pkg{ImportPath: module + "ingest/parse"}, importFaults, "ingest/parse is in no room"},
		"a stage imports clickhouse-go":              {pkg{ImportPath: module + "ingest", Imports: []string{clickhouseGo + "/lib/driver"}}, importFaults, "ingest imports " + clickhouseGo},
		"the adapter imports clickhouse-go":          {pkg{ImportPath: module + "internal/clickhouse/column", Imports: []string{clickhouseGo}}, importFaults, ""},
		"the program imports kafka-go":               {pkg{ImportPath: module + "cmd/reckon", Imports: []string{kafkaGo}}, importFaults, "cmd/reckon imports " + kafkaGo},
		"the program's tests import kafka-go":        {pkg{ImportPath: module + "cmd/reckon", XTestImports: []string{kafkaGo}}, importFaults, ""},
		"a stage's tests import kafka-go":            {pkg{ImportPath: module + "ingest", XTestImports: []string{kafkaGo}}, importFaults, "ingest (tests) imports " + kafkaGo},
		"the program imports the tests' engine":      {pkg{ImportPath: module + "cmd/reckon", Imports: []string{module + "internal/embedded/embeddedtest"}}, importFaults, "embeddedtest"},
		"a stage's tests import the tests' engine":   {pkg{ImportPath: module + "ingest", XTestImports: []string{module + "internal/embedded/embeddedtest"}}, importFaults, ""},
		"the program imports the tests' histories":   {pkg{ImportPath: module + "cmd/reckon", Imports: []string{module + "internal/oracle/histories"}}, importFaults, "histories"},
		"the program imports every room":             {pkg{ImportPath: module + "cmd/reckon", Imports: []string{module + "internal/kafka", module + "aggregate", module + "invoicer/rating"}}, importFaults, ""},
		"a property test":                            {pkg{ImportPath: module + "ingest", TestImports: []string{"pgregory.net/rapid"}}, importFaults, ""},
		"a property test's library outside of tests": {pkg{ImportPath: module + "ingest", Imports: []string{"pgregory.net/rapid"}}, importFaults, "ingest imports pgregory.net/rapid"},
		"the core imports os":                        {pkg{ImportPath: module + "schemas", Imports: []string{"os"}}, impureImports, "schemas imports os"},
		"rating imports log/slog":                    {pkg{ImportPath: module + "invoicer/rating", Imports: []string{"log/slog"}}, impureImports, "log/slog"},
		"rating draws numbers":                       {pkg{ImportPath: module + "invoicer/rating", Imports: []string{"math/rand/v2"}}, impureImports, "math/rand/v2"},
		"rating imports metrics":                     {pkg{ImportPath: module + "invoicer/rating", Imports: []string{"github.com/prometheus/client_golang/prometheus"}}, impureImports, "prometheus"},
		"the core calculates":                        {pkg{ImportPath: module + "schemas", Imports: []string{"math/big", "time", "github.com/shopspring/decimal"}}, impureImports, ""},
		"a stage has a context":                      {pkg{ImportPath: module + "ingest", Imports: []string{"context"}}, impureImports, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(tc.rule(tc.p), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestNolintFaultsAreNamed(t *testing.T) {
	const silence = "x() //" + "nolint:"
	for comment, want := range map[string]string{
		silence + "errcheck // why":        "",
		silence + "dupl // why":            "silences dupl",
		silence + "errcheck,dupl // why":   "silences dupl",
		"x() // no lint, no dupl, nothing": "",
	} {
		if got := strings.Join(nolintFaults(comment, []string{"errcheck"}), "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", comment, got, want)
		}
	}
}

func TestMigrationFaultsAreNamed(t *testing.T) {
	sum := func(content string) string { return checksum([]byte(content)) }
	for name, tc := range map[string]struct {
		files map[string]string
		sums  string
		want  string // empty: no fault
	}{
		"none yet":            {nil, "", ""},
		"two that landed":     {map[string]string{"0001_a.sql": "a", "0002_b.sql": "b"}, sum("a") + "  0001_a.sql\n" + sum("b") + "  0002_b.sql\n", ""},
		"a gap":               {map[string]string{"0001_a.sql": "a", "0003_b.sql": "b"}, sum("a") + "  0001_a.sql\n" + sum("b") + "  0003_b.sql\n", "0003_b.sql: want number 0002"},
		"a number twice":      {map[string]string{"0001_a.sql": "a", "0001_b.sql": "b"}, sum("a") + "  0001_a.sql\n" + sum("b") + "  0001_b.sql\n", "0001_b.sql: want number 0002"},
		"no number":           {map[string]string{"events.sql": "a"}, sum("a") + "  events.sql\n", "events.sql: want number 0001"},
		"one without its sum": {map[string]string{"0001_a.sql": "a"}, "", "0001_a.sql: not in checksums.txt"},
		"one that changed":    {map[string]string{"0001_a.sql": "b"}, sum("a") + "  0001_a.sql\n", "0001_a.sql: changed"},
		"one that was lost":   {nil, sum("a") + "  0001_a.sql\n", "0001_a.sql: in checksums.txt, but gone"},
		"a sum nobody reads":  {nil, "hello\n", "checksums.txt line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{}
			for file, content := range tc.files {
				files[file] = []byte(content)
			}
			got := strings.Join(migrationFaults(files, tc.sums), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestClocksInSourceAreFound(t *testing.T) {
	for source, want := range map[string]bool{
		"package p\nimport \"time\"\nvar _ = time.Now()":      true,
		"package p\nimport \"time\"\nvar _ = time.Since":      true,
		"package p\nimport \"time\"\nvar _ = time.Unix(0, 0)": false,
	} {
		if got := len(clocks(parse(t, "p.go", source))) > 0; got != want {
			t.Errorf("%q: found %v, want %v", source, got, want)
		}
	}
}

func TestMetricNamesInSourceAreFound(t *testing.T) {
	source := `package p
var a = []string{"reckon_ingest_read_total", "reckon", "reckon_x", "some reckon_ingest_text", "reckon_seal_lag_seconds"}`
	got := strings.Join(metricNames(parse(t, "p.go", source)), " ")
	if want := "reckon_ingest_read_total reckon_seal_lag_seconds"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}
