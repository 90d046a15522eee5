package tidy

import (
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a package is stands where a reader looks for it.
func TestEveryPackageHasItsDocGo(t *testing.T) {
	report(t, list(t), func(p pkg) []string {
		comments := map[string]string{}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			comments[file] = parsed.Doc.Text()
		}
		return docFaults(p.name(), comments)
	})
}

// docFaults looks at the package comments of a package's files.
func docFaults(name string, comments map[string]string) []string {
	var faults []string
	if comments["doc.go"] == "" {
		faults = append(faults, name+" has no package comment in doc.go")
	}
	for _, file := range slices.Sorted(maps.Keys(comments)) {
		if file != "doc.go" && comments[file] != "" {
			faults = append(faults, fmt.Sprintf("%s has a package comment in %s: it belongs to doc.go", name, file))
		}
	}
	return faults
}

// Who looks for a room finds what it owns.
func TestEveryRoomHasItsRow(t *testing.T) {
	var packages []string
	for _, p := range list(t) {
		packages = append(packages, p.name())
	}
	for _, fault := range roomFaults(packages, readDoc(t, "docs/architecture.md")) {
		t.Error(fault)
	}
}

// roomFaults compares the packages that there are with the rows of the
// architecture's table.
func roomFaults(packages []string, architecture string) []string {
	var told, faults []string
	for _, row := range tableRows(section(architecture, "The rooms")) {
		for _, m := range regexp.MustCompile("`([^`]+?)/?`").FindAllStringSubmatch(row[0], -1) {
			told = append(told, m[1])
		}
		if len(row) != 3 {
			faults = append(faults, fmt.Sprintf("docs/architecture.md: the row of %s has %d columns of 3: room, owns, may import", row[0], len(row)))
		}
	}
	for _, name := range packages {
		if !slices.Contains(told, name) {
			faults = append(faults, fmt.Sprintf("docs/architecture.md has no row for %s: say what it owns and may import", name))
		}
	}
	for _, name := range told {
		if !slices.Contains(packages, name) {
			faults = append(faults, fmt.Sprintf("docs/architecture.md has a row for %s, which is no package", name))
		}
	}
	return faults
}

// Who wonders why a library is there finds the reason beside all others.
func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	for _, fault := range dependencyFaults(readDoc(t, "go.mod"), readDoc(t, "docs/architecture.md")) {
		t.Error(fault)
	}
}

// dependencyFaults compares what go.mod requires directly with the rows of the
// architecture's table.
func dependencyFaults(mod, architecture string) []string {
	var direct, told, faults []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/\S+) v\S+$`).FindAllStringSubmatch(mod, -1) {
		direct = append(direct, m[1])
	}
	for _, row := range tableRows(section(architecture, "Direct dependencies")) {
		if name := strings.Trim(row[0], "`"); len(row) == 2 && row[1] != "" {
			told = append(told, name)
		}
	}
	for _, name := range direct {
		if !slices.Contains(told, name) {
			faults = append(faults, fmt.Sprintf("docs/architecture.md has no reason for %s: add a row to its direct dependencies", name))
		}
	}
	for _, name := range told {
		if !slices.Contains(direct, name) {
			faults = append(faults, fmt.Sprintf("docs/architecture.md has a reason for %s, which go.mod does not require directly", name))
		}
	}
	return faults
}

// section is what stands under a heading of a document.
func section(document, heading string) string {
	_, after, _ := strings.Cut("\n"+document, "\n## "+heading+"\n")
	found, _, _ := strings.Cut(after, "\n## ")
	return found
}

// tableRows are the cells of the rows of tables, those of heads left out.
func tableRows(text string) (rows [][]string) {
	head := true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") {
			head = !strings.HasPrefix(line, "|---")
			continue
		}
		if !head {
			rows = append(rows, strings.Split(strings.Trim(line, "| "), " | "))
		}
	}
	return rows
}
