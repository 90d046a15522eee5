package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a reader can take in at once. A function's length counts its lines from
// func to the closing brace; tests are not counted.
const (
	maxFunctionLines    = 70
	maxFunctionLinesP90 = 30
	maxFileLines        = 300
	maxFiles            = 16
	maxExported         = 80
	// The program's folder has a file a subcommand, so it is bounded as a whole.
	program         = "cmd/reckon"
	maxProgramLines = 2600
)

// sizes are what is measured of a package.
type sizes struct {
	name string
	// files are the lines of each file without tests, functions those of each
	// function, by name.
	files, functions map[string]int
	// exported counts types and functions; constants, variables and methods are
	// not counted.
	exported int
}

func TestSizesAreWhatAReaderCanTakeIn(t *testing.T) {
	var lengths []int
	for _, p := range list(t) {
		s := sizesOf(t, p)
		for _, fault := range sizeFaults(s) {
			t.Error(fault)
		}
		for _, lines := range s.functions {
			lengths = append(lengths, lines)
		}
	}
	if len(lengths) == 0 {
		t.Fatal("no function found")
	}
	slices.Sort(lengths)
	p90 := lengths[len(lengths)*9/10]
	t.Logf("%d functions: half have up to %d lines, nine in ten up to %d, the longest %d",
		len(lengths), lengths[len(lengths)/2], p90, lengths[len(lengths)-1])
	if p90 > maxFunctionLinesP90 {
		t.Errorf("nine in ten functions have up to %d lines, want %d", p90, maxFunctionLinesP90)
	}
}

func sizesOf(t *testing.T, p pkg) sizes {
	t.Helper()
	s := sizes{name: p.name(), files: map[string]int{}, functions: map[string]int{}}
	for _, name := range p.GoFiles {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.files[name] = files.File(file.FileStart).LineCount() - 1
		s.count(files, file)
	}
	return s
}

func (s *sizes) count(files *token.FileSet, file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			s.functions[d.Name.Name+" at "+files.Position(d.Pos()).String()] = files.Position(d.End()).Line - files.Position(d.Pos()).Line + 1
			if d.Recv == nil && d.Name.IsExported() {
				s.exported++
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if kind, ok := spec.(*ast.TypeSpec); ok && kind.Name.IsExported() {
					s.exported++
				}
			}
		}
	}
}

func sizeFaults(s sizes) []string {
	var faults []string
	all := 0
	for name, lines := range s.files {
		if all += lines; lines > maxFileLines {
			faults = append(faults, fmt.Sprintf("%s/%s has %d lines, at most %d: divide it by what a reader looks for", s.name, name, lines, maxFileLines))
		}
	}
	for name, lines := range s.functions {
		if lines > maxFunctionLines {
			faults = append(faults, fmt.Sprintf("%s has %d lines, at most %d", name, lines, maxFunctionLines))
		}
	}
	if s.name == program {
		if all > maxProgramLines {
			faults = append(faults, fmt.Sprintf("%s has %d lines, at most %d: flags, a call, printing; what is more belongs to a room", s.name, all, maxProgramLines))
		}
	} else if len(s.files) > maxFiles {
		faults = append(faults, fmt.Sprintf("%s has %d files, at most %d", s.name, len(s.files), maxFiles))
	}
	if s.exported > maxExported {
		faults = append(faults, fmt.Sprintf("%s exports %d types and functions, at most %d", s.name, s.exported, maxExported))
	}
	slices.Sort(faults)
	return faults
}

func TestPlantedSizesAreNamed(t *testing.T) {
	many := map[string]int{}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf("%d.go", i)] = 1
	}
	for name, tc := range map[string]struct {
		s    sizes
		want string // empty: no fault
	}{
		"all that is allowed":  {sizes{name: "p", files: map[string]int{"a.go": maxFileLines}, functions: map[string]int{"f": maxFunctionLines}, exported: maxExported}, ""},
		"a long file":          {sizes{name: "p", files: map[string]int{"a.go": maxFileLines + 1}}, "p/a.go has 301 lines"},
		"a long function":      {sizes{name: "p", functions: map[string]int{"f": maxFunctionLines + 1}}, "f has 71 lines"},
		"many files":           {sizes{name: "p", files: many}, "p has 17 files"},
		"the program's files":  {sizes{name: program, files: many}, ""},
		"a long program":       {sizes{name: program, files: map[string]int{"a.go": 300, "b.go": 2301}}, "cmd/reckon has 2601 lines"},
		"many things exported": {sizes{name: "p", exported: maxExported + 1}, "p exports 81"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(sizeFaults(tc.s), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
