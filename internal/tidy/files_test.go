package tidy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/internal/config"
)

const root = "../.."

func TestNoFileIsLongerThan500Lines(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		content, err := os.ReadFile(path)
		if lines := bytes.Count(content, []byte("\n")); lines > 500 {
			t.Errorf("%s has %d lines: divide it by what a reader looks for", path, lines)
		}
		seen++
		return err
	})
	if err != nil || seen == 0 {
		t.Fatalf("%d files, %v", seen, err)
	}
}

func TestMigrationsAreNumberedAndNeverChange(t *testing.T) {
	folder := filepath.Join(root, "schemas", "clickhouse")
	paths, err := filepath.Glob(filepath.Join(folder, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		if files[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	sums, err := os.ReadFile(filepath.Join(folder, "checksums.txt"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, fault := range migrationFaults(files, string(sums)) {
		t.Error(fault)
	}
}

func migrationFaults(files map[string][]byte, sums string) []string {
	var faults []string
	landed := map[string]string{}
	for i, line := range strings.Split(strings.TrimSuffix(sums, "\n"), "\n") {
		sum, file, ok := strings.Cut(line, "  ")
		if !ok && sums != "" {
			faults = append(faults, fmt.Sprintf("checksums.txt line %d is not as sha256sum writes it", i+1))
		} else if ok {
			landed[file] = sum
		}
	}
	for i, file := range slices.Sorted(maps.Keys(files)) {
		if number := fmt.Sprintf("%04d", i+1); !regexp.MustCompile(`^` + number + `_[a-z0-9_]+\.sql$`).MatchString(file) {
			faults = append(faults, fmt.Sprintf("%s: want number %s, an underscore and a name in small letters", file, number))
		}
		switch sum, ok := landed[file]; {
		case !ok:
			faults = append(faults, file+": not in checksums.txt: run make migrations-sum")
		case sum != checksum(files[file]):
			faults = append(faults, file+": changed since it landed: take the change back and add a migration")
		}
	}
	for _, file := range slices.Sorted(maps.Keys(landed)) {
		if _, ok := files[file]; !ok {
			faults = append(faults, file+": in checksums.txt, but gone: bring it back")
		}
	}
	return faults
}

func checksum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func TestPureRoomsReadNoClock(t *testing.T) {
	for _, p := range list(t) {
		if r, _ := roomOf(p.name()); !r.pure {
			continue
		}
		for _, file := range p.GoFiles {
			for _, clock := range clocks(parse(t, filepath.Join(p.Dir, file), nil)) {
				t.Errorf("%s/%s uses %s: hand it the instant", p.name(), file, clock)
			}
		}
	}
}

// clocks are the functions of package time that read or wait for one.
func clocks(file *ast.File) []string {
	forbidden := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok && name.Name == "time" && slices.Contains(forbidden, selector.Sel.Name) {
				found = append(found, "time."+selector.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestTheReadmeExplainsEverySetting(t *testing.T) {
	readme := readReadme(t)
	for _, s := range config.Settings() {
		if !mentions(readme, s.Path) || !mentions(readme, s.Env) {
			t.Errorf("README.md misses a setting; its row:\n| `%s` | `%s` | `%s` | %s |", s.Path, s.Env, s.Default, s.Doc)
		}
	}
}

func TestTheReadmeExplainsEveryMetric(t *testing.T) {
	readme := readReadme(t)
	for _, p := range list(t) {
		for _, file := range p.GoFiles {
			for _, name := range metricNames(parse(t, filepath.Join(p.Dir, file), nil)) {
				if !mentions(readme, name) {
					t.Errorf("README.md misses the metric %s of %s/%s", name, p.name(), file)
				}
			}
		}
	}
}

func TestTheTestsThatTheReadmeNamesExist(t *testing.T) {
	have := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, d := range parse(t, path, nil).Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				have[f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(readReadme(t), -1) {
		if !have[name[1]] {
			t.Errorf("README.md names %s, which is no test", name[1])
		}
	}
}

// metricNames are the literals that look like one of our metrics: names are
// written whole, so that they can be searched for.
func metricNames(file *ast.File) []string {
	metric := regexp.MustCompile(`^reckon_[a-z0-9]+_[a-z0-9_]+$`)
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil && metric.MatchString(text) {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}

// mentions looks for the name as a whole: kafka.tls.enabled is not a mention
// of kafka.tls.
func mentions(text, name string) bool {
	return regexp.MustCompile(`(^|[^a-zA-Z0-9_.])` + regexp.QuoteMeta(name) + `($|[^a-zA-Z0-9_.]|\.($|[^a-zA-Z0-9_]))`).MatchString(text)
}

func readReadme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func parse(t *testing.T, name string, source any) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
