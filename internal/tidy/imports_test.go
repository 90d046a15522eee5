package tidy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/reckon-billing/reckon/"

// room is what a package may import of ours. A pattern that ends in a slash
// means everything below.
type room struct {
	imports []string
	// tests may import this beyond what all tests may.
	tests []string
	// pure: values in, values out. No clock, context, network, log, files.
	pure bool
}

// house is the import table: every package is a room here, or lies below a
// room that ends in a slash.
func house() map[string]room {
	stages := []string{"schemas", "ingest", "aggregate", "invoicer", "notifier"}
	return map[string]room{
		"schemas":            {pure: true},
		"schemas/codec":      {imports: []string{"schemas"}, pure: true, tests: []string{"schemas/json"}},
		"schemas/json":       {},
		"schemas/migrations": {},
		"schemas/tables":     {imports: []string{"schemas"}, pure: true},

		"ingest":          {imports: []string{"schemas"}},
		"aggregate":       {imports: []string{"schemas", "aggregate/fold"}},
		"aggregate/fold":  {imports: []string{"schemas"}, pure: true, tests: []string{"invoicer/rating"}},
		"invoicer":        {imports: []string{"schemas", "schemas/tables", "invoicer/rating", "invoicer/settle"}, tests: []string{"aggregate"}},
		"invoicer/rating": {imports: []string{"schemas"}, pure: true},
		"invoicer/settle": {imports: []string{"schemas"}, pure: true},
		"invoicer/survey": {imports: []string{"schemas", "invoicer"}},
		"notifier":        {imports: []string{"schemas"}},

		"internal/kafka":                 {imports: append(stages, "internal/kafka/records")},
		"internal/kafka/records":         {imports: []string{"schemas"}},
		"internal/kafka/kafkatest":       {imports: []string{"internal/testkit"}},
		"internal/embedded":              {},
		"internal/embedded/embeddedtest": {imports: []string{"internal/embedded"}},
		"internal/config":                {tests: []string{"schemas", "schemas/codec"}},
		"internal/telemetry":             {},
		"internal/simulate":              {imports: []string{"schemas", "schemas/codec", "internal/app", "internal/config", "internal/embedded", "internal/report", "internal/schedule", "internal/generate", "internal/oracle"}},
		"internal/generate":              {imports: []string{"schemas", "schemas/codec"}},
		"internal/oracle":                {imports: []string{"schemas"}, pure: true},
		"internal/oracle/histories":      {imports: []string{"schemas", "internal/oracle"}, tests: []string{"schemas/codec"}},
		"internal/report":                {imports: []string{"schemas"}},
		"internal/bench":                 {imports: []string{"schemas", "schemas/", "ingest", "aggregate", "invoicer/", "invoicer", "internal/"}},
		"internal/faults":                {tests: append(stages, "internal/kafka", "internal/clickhouse")},
		"internal/testkit":               {},
		"internal/tidy":                  {imports: []string{"internal/config"}},
		"internal/schedule":              {pure: true},
		"internal/clickhouse":            {imports: append(stages, "aggregate/fold", "schemas/codec", "schemas/migrations", "internal/audit", "internal/clickhouse/"), tests: []string{"schemas/tables"}},
		"internal/clickhouse/column":     {},
		"internal/clickhouse/scope":      {imports: []string{"schemas", "aggregate", "internal/clickhouse/column"}},
		"internal/clickhouse/events": {imports: []string{
			"schemas", "schemas/codec", "ingest", "aggregate", "aggregate/fold", "internal/audit", "internal/clickhouse/column", "internal/clickhouse/scope",
		}},
		"internal/clickhouse/logs": {imports: []string{"schemas", "internal/clickhouse/column"}},
		"internal/clickhouse/runs": {imports: []string{"schemas", "schemas/tables", "invoicer", "internal/audit", "internal/clickhouse/column", "internal/clickhouse/scope"}},
		"internal/clickhouse/invoices": {imports: []string{
			"schemas", "schemas/tables", "aggregate", "invoicer", "internal/audit", "internal/clickhouse/column", "internal/clickhouse/scope",
		}},
		"internal/clickhouse/clickhousetest": {imports: []string{"schemas", "schemas/migrations", "ingest", "internal/clickhouse/column"}},

		"internal/audit": {imports: []string{"schemas", "schemas/codec", "schemas/tables", "aggregate", "aggregate/", "invoicer", "invoicer/"}},
		"internal/app": {imports: append(stages, "invoicer/survey", "schemas/codec", "internal/audit", "internal/kafka", "internal/clickhouse", "internal/embedded",
			"internal/config", "internal/telemetry", "internal/schedule"), tests: []string{"schemas/migrations"}},

		"cmd/reckon": {imports: append(stages, "schemas/", "invoicer/", "internal/")},
	}
}

// allTests may import these, whatever their room: the engines and the sample
// data with its independent calculator.
func allTests() []string {
	return []string{
		"internal/embedded", "internal/embedded/embeddedtest", "internal/kafka/kafkatest", "internal/clickhouse/clickhousetest", "internal/testkit", "internal/generate", "internal/oracle", "internal/oracle/",
	}
}

// testHelpers are no part of a program: only tests import them, and each other.
func testHelpers() []string {
	return []string{"internal/embedded/embeddedtest", "internal/kafka/kafkatest", "internal/clickhouse/clickhousetest", "internal/oracle/histories", "internal/testkit"}
}

// owners says which rooms alone may import a library, and whose tests too.
func owners() map[string]room {
	outside := []string{"internal/embedded", "internal/faults", "cmd/reckon", "internal/app", "internal/clickhouse", "internal/clickhouse/"}
	return map[string]room{
		"github.com/segmentio/kafka-go":         {imports: []string{"internal/kafka"}, tests: outside},
		"github.com/ClickHouse/clickhouse-go":   {imports: []string{"internal/clickhouse/column", "internal/clickhouse/clickhousetest"}, tests: outside},
		"github.com/ClickHouse/ch-go":           {imports: []string{"internal/clickhouse/column", "internal/embedded"}, tests: outside},
		"github.com/twmb/franz-go/pkg/kmsg":     {imports: []string{"internal/embedded", "internal/kafka", "internal/kafka/kafkatest"}, tests: []string{"internal/kafka", "internal/kafka/records", "internal/faults"}},
		"github.com/twmb/franz-go/pkg/kerr":     {imports: []string{"internal/embedded", "internal/kafka/kafkatest"}, tests: []string{"internal/kafka", "internal/faults"}},
		"github.com/twmb/franz-go/pkg/kfake":    {imports: []string{"internal/embedded", "internal/kafka/kafkatest"}, tests: []string{"internal/kafka", "internal/faults"}},
		"github.com/twmb/franz-go/pkg/kgo":      {imports: []string{"internal/embedded", "internal/kafka/kafkatest"}, tests: []string{"internal/kafka", "internal/faults"}},
		"github.com/klauspost/compress":         {imports: []string{"internal/kafka/records", "internal/kafka/kafkatest"}},
		"github.com/pierrec/lz4":                {imports: []string{"internal/kafka/records", "internal/kafka/kafkatest"}},
		"github.com/ebitengine/purego":          {imports: []string{"internal/embedded"}},
		"github.com/spf13/cobra":                {imports: []string{"cmd/reckon"}},
		"github.com/caarlos0/env":               {imports: []string{"internal/config"}},
		"github.com/robfig/cron":                {imports: []string{"internal/config", "internal/schedule"}},
		"github.com/santhosh-tekuri/jsonschema": {tests: []string{"schemas/codec", "schemas/json"}},
		"pgregory.net/rapid":                    {imports: []string{"internal/oracle/histories"}, tests: []string{""}},
	}
}

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Doc          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module) }

func list(t *testing.T) []pkg {
	t.Helper()
	// With -e a package that does not build is still looked at; that it does
	// not is for the compiler to say.
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Dir,Doc,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	} else if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

func TestEveryPackageImportsOnlyWhatItsRoomMay(t *testing.T) {
	report(t, list(t), importFaults)
}

func TestPureRoomsKeepTheWorldOut(t *testing.T) {
	report(t, list(t), impureImports)
}

func TestEveryPackageHasAComment(t *testing.T) {
	report(t, list(t), func(p pkg) []string {
		if p.Doc == "" {
			return []string{p.name() + " has no package comment"}
		}
		return nil
	})
}

func report(t *testing.T, all []pkg, rule func(pkg) []string) {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("go list found no package")
	}
	for _, p := range all {
		for _, fault := range rule(p) {
			t.Error(fault)
		}
	}
}

// roomOf finds the package in the table, or the nearest room above it that
// takes all below.
func roomOf(name string) (room, bool) {
	table := house()
	r, found := table[name]
	for above := name; !found && strings.Contains(above, "/"); {
		above = above[:strings.LastIndex(above, "/")]
		r, found = table[above+"/"]
	}
	return r, found
}

func importFaults(p pkg) []string {
	r, found := roomOf(p.name())
	if !found {
		return []string{p.name() + " is in no room: add it to the table of architecture.md and to the one in " + module + "internal/tidy"}
	}
	faults := wrongImports(p, p.Imports, r.imports, owners(), false)
	tests := slices.Concat(r.imports, r.tests, allTests(), []string{p.name()})
	return append(faults, wrongImports(p, slices.Concat(p.TestImports, p.XTestImports), tests, owners(), true)...)
}

func wrongImports(p pkg, imports, allowed []string, libraries map[string]room, test bool) []string {
	who := p.name()
	if test {
		who += " (tests)"
	}
	var faults []string
	for _, path := range imports {
		if ours, yes := strings.CutPrefix(path, module); yes {
			if !covers(allowed, ours) || !test && covers(testHelpers(), ours) && !covers(testHelpers(), p.name()) {
				faults = append(faults, fmt.Sprintf("%s imports %s, which its room may not", who, ours))
			}
			continue
		}
		for library, r := range libraries {
			if path != library && !strings.HasPrefix(path, library+"/") {
				continue
			}
			if !covers(r.imports, p.name()) && (!test || !covers(r.tests, p.name())) {
				faults = append(faults, fmt.Sprintf("%s imports %s, which is for %v and the tests of %v alone", who, path, r.imports, r.tests))
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// covers tells whether a pattern names the package or, ending in a slash,
// lies above it; the empty pattern names all.
func covers(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return pattern == "" || pattern == name || strings.HasSuffix(pattern, "/") && strings.HasPrefix(name, pattern)
	})
}

// impureImports lets pure rooms import calculation, text and data formats.
func impureImports(p pkg) []string {
	if r, _ := roomOf(p.name()); !r.pure {
		return nil
	}
	var faults []string
	for _, path := range p.Imports {
		first, _, _ := strings.Cut(path, "/")
		impure := slices.Contains([]string{"os", "net", "context", "log", "syscall", "runtime", "sync", "plugin", "testing", "C"}, first) ||
			slices.Contains([]string{"io/ioutil", "math/rand", "math/rand/v2", "crypto/rand", "path/filepath", "database/sql", "expvar"}, path)
		library := strings.Contains(first, ".") && !strings.HasPrefix(path, module) &&
			!strings.HasPrefix(path, "github.com/shopspring/decimal") && !strings.HasPrefix(path, "github.com/go-json-experiment/json") &&
			(p.name() != "internal/schedule" || !strings.HasPrefix(path, "github.com/robfig/cron"))
		if impure || library {
			faults = append(faults, fmt.Sprintf("%s imports %s, but it is pure: hand it values", p.name(), path))
		}
	}
	return faults
}
