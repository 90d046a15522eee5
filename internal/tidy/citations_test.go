package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// passage is a comment, or a text of a test, as one line.
type passage struct {
	file string
	line int
	text string
}

// references are what may be cited: the rules of docs/billing.md, its worked
// numbers, the rows of docs/immunity.md, and files by their paths.
type references struct {
	rules, worked, bugs map[string]bool
	files               []string
}

func TestWhateverIsCitedIsInTheTree(t *testing.T) {
	r := readReferences(t)
	all := passages(t, r.files)
	if len(r.rules) < 8 || len(r.bugs) == 0 || len(r.worked) == 0 || len(all) < 1000 {
		t.Fatalf("found %d rules, %d bugs, %d worked numbers and %d passages", len(r.rules), len(r.bugs), len(r.worked), len(all))
	}
	for _, p := range all {
		for _, fault := range citationFaults(p, r) {
			t.Error(fault)
		}
	}
}

// Every row of docs/immunity.md and every worked number is cited by a test, and
// the tests that a row names are there and cite it.
func TestTheTestsThatARowNamesCiteIt(t *testing.T) {
	r := readReferences(t)
	cited, tests := citedByTests(t, r.files)
	for _, fault := range rowFaults(readDoc(t, "docs/immunity.md"), cited, tests) {
		t.Error(fault)
	}
	for _, id := range slices.Sorted(maps.Keys(r.worked)) {
		if len(cited[id]) == 0 {
			t.Errorf("docs/billing.md works out %s, which no test cites", id)
		}
	}
}

func TestLinksBetweenDocumentsResolve(t *testing.T) {
	files := trackedFiles(t)
	seen := 0
	for _, name := range files {
		if path.Ext(name) != ".md" {
			continue
		}
		seen++
		headings := func(document string) []string { return anchors(readDoc(t, document)) }
		for _, fault := range linkFaults(name, readDoc(t, name), files, headings) {
			t.Error(fault)
		}
	}
	if seen < 5 {
		t.Fatalf("found %d documents", seen)
	}
}

// citation is "contract 2", "contract 3 and 5", "contract sections 1, 2, 5.3 and 6",
// "contract 3 to 5".
var citation = regexp.MustCompile(`(?i)\bcontract(?:'s)?(?: sections?| chapters?)? (\d+(?:\.\d+)?(?:(?:, and |, | and | or | to )\d+(?:\.\d+)?\b)*)`)

var (
	number     = regexp.MustCompile(`\d+(?:\.\d+)?`)
	workedID   = regexp.MustCompile(`\bW[DF][1-9]\d?\b`)
	bugID      = regexp.MustCompile(`\b(?:[ACDEFGHJKLS][1-9]\d?|[ORT][1-9])\b`)
	namedFile  = regexp.MustCompile(`[\w*{}./-]*\w\.(?:md|go|sql)\b`)
	testName   = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	markLink   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fencedCode = regexp.MustCompile("(?ms)^```.*?^```")
)

func citationFaults(p passage, r references) []string {
	var faults []string
	missing := func(cited, where string) {
		faults = append(faults, fmt.Sprintf("%s:%d cites %s, which is not in %s", p.file, p.line, cited, where))
	}
	for _, c := range citation.FindAllStringSubmatch(p.text, -1) {
		for _, rule := range number.FindAllString(c[1], -1) {
			if !r.rules[rule] {
				missing("contract "+rule, "docs/billing.md")
			}
		}
	}
	for _, id := range workedID.FindAllString(p.text, -1) {
		if !r.worked[id] {
			missing(id, "docs/billing.md")
		}
	}
	for _, id := range bugID.FindAllString(p.text, -1) {
		if !r.bugs[id] {
			missing(id, "docs/immunity.md")
		}
	}
	for _, name := range namedFile.FindAllString(p.text, -1) {
		if !isThere(name, path.Dir(p.file), r.files) {
			missing(name, "the tree")
		}
	}
	return faults
}

// isThere tells whether a file that is named in a folder is there: by its path
// from the root, or above or below the folder; a document also in docs. NAME,
// PART and * stand for any name.
func isThere(name, folder string, files []string) bool {
	if strings.ContainsAny(name, "*{}") || strings.Contains(name, "NAME") || strings.Contains(name, "PART") {
		return true
	}
	name = strings.TrimLeft(name, "./")
	return slices.ContainsFunc(files, func(file string) bool {
		above, found := strings.CutSuffix("/"+file, "/"+name)
		above = strings.TrimPrefix(above, "/")
		related := above == "" || above == folder || above == "docs" && path.Ext(name) == ".md" ||
			strings.HasPrefix(folder, above+"/") || strings.HasPrefix(above, folder+"/")
		return found && related
	})
}

// rowFaults says what is wrong with the rows of docs/immunity.md: cited are the
// files that cite an id, tests the files that a test is in.
func rowFaults(document string, cited, tests map[string][]string) []string {
	var faults []string
	for line := range strings.Lines(document) {
		cells := strings.Split(line, " | ")
		id, isRow := strings.CutPrefix(cells[0], "| ")
		if !isRow || !bugID.MatchString(id) || len(cells) < 4 {
			continue
		}
		if len(cited[id]) == 0 {
			faults = append(faults, fmt.Sprintf("docs/immunity.md has %s, which no test cites", id))
		}
		names := testName.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(names) == 0 {
			faults = append(faults, fmt.Sprintf("%s names no test that holds it", id))
		}
		for _, name := range names {
			inBoth := slices.ContainsFunc(tests[name[1]], func(file string) bool { return slices.Contains(cited[id], file) })
			switch {
			case len(tests[name[1]]) == 0:
				faults = append(faults, fmt.Sprintf("%s names %s, which is no test", id, name[1]))
			case !inBoth:
				faults = append(faults, fmt.Sprintf("%s names %s, whose file does not cite it", id, name[1]))
			}
		}
	}
	return faults
}

// linkFaults are the relative links of a document that lead nowhere.
func linkFaults(name, text string, files []string, headings func(document string) []string) []string {
	var faults []string
	for _, m := range markLink.FindAllStringSubmatch(fencedCode.ReplaceAllString(text, ""), -1) {
		target, heading, _ := strings.Cut(m[1], "#")
		if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		to := name
		if target != "" {
			to = path.Join(path.Dir(name), target)
		}
		there := slices.ContainsFunc(files, func(file string) bool { return file == to || strings.HasPrefix(file, to+"/") })
		switch {
		case !there:
			faults = append(faults, fmt.Sprintf("%s links to %s, which is not in the tree", name, m[1]))
		case heading != "" && !slices.Contains(headings(to), heading):
			faults = append(faults, fmt.Sprintf("%s links to %s, but %s has no such heading", name, m[1], to))
		}
	}
	return faults
}

// anchors are the headings of a document as links name them.
func anchors(text string) []string {
	var found []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(fencedCode.ReplaceAllString(text, ""), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		found = append(found, strings.ReplaceAll(name, " ", "-"))
	}
	return found
}

// readReferences reads what may be cited.
func readReferences(t *testing.T) references {
	t.Helper()
	billing := readDoc(t, "docs/billing.md")
	return references{
		rules:  rules(billing),
		worked: firstCells(billing, workedID),
		bugs:   firstCells(readDoc(t, "docs/immunity.md"), bugID),
		files:  trackedFiles(t),
	}
}

// rules are the chapters of a document, and their numbered points and sections
// as 5.3.
func rules(text string) map[string]bool {
	found := map[string]bool{}
	chapter := ""
	for _, m := range regexp.MustCompile(`(?m)^(?:(#+) (\d+(?:\.\d+)?)\.? |(\d+)\. )`).FindAllStringSubmatch(text, -1) {
		switch {
		case m[1] != "":
			found[m[2]] = true
			chapter, _, _ = strings.Cut(m[2], ".")
		case chapter != "":
			found[chapter+"."+m[3]] = true
		}
	}
	return found
}

// firstCells are the ids that begin the rows of a document's tables.
func firstCells(text string, id *regexp.Regexp) map[string]bool {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+) \|`).FindAllStringSubmatch(text, -1) {
		if id.FindString(m[1]) == m[1] {
			found[m[1]] = true
		}
	}
	return found
}

// passages are all comments, the texts of tests and the documents, this room's
// own faults aside.
func passages(t *testing.T, files []string) (all []passage) {
	t.Helper()
	for _, name := range files {
		switch {
		case strings.HasPrefix(name, "internal/tidy/"):
		case path.Ext(name) == ".go":
			all = append(all, passagesOf(t, name, readDoc(t, name))...)
		case path.Ext(name) == ".sql":
			all = append(all, passage{name, 1, strings.Join(sqlComments(readDoc(t, name)), " ")})
		case path.Ext(name) == ".md":
			all = append(all, documentPassages(name, readDoc(t, name))...)
		}
	}
	return all
}

// passagesOf are the comments of a Go file and, in a test, its texts too.
func passagesOf(t *testing.T, name, source string) (all []passage) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	add := func(at token.Pos, text string) {
		all = append(all, passage{name, set.Position(at).Line, strings.Join(strings.Fields(text), " ")})
	}
	for _, group := range file.Comments {
		add(group.Pos(), group.Text())
	}
	if !strings.HasSuffix(name, "_test.go") {
		return all
	}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(literal.Value); err == nil {
			add(literal.Pos(), namedFile.ReplaceAllString(text, "")) // a test may make up files
		}
		return true
	})
	return all
}

// documentPassages are the lines of a document, without what is fenced as code.
func documentPassages(name, text string) (all []passage) {
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		} else if !fenced {
			all = append(all, passage{name, i + 1, line})
		}
	}
	return all
}

func sqlComments(text string) (comments []string) {
	for line := range strings.Lines(text) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "--"); ok {
			comments = append(comments, strings.TrimSpace(comment))
		}
	}
	return comments
}

// citedByTests are the test files that cite each id, and those that each test
// is in.
func citedByTests(t *testing.T, files []string) (cited, tests map[string][]string) {
	t.Helper()
	cited, tests = map[string][]string{}, map[string][]string{}
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "internal/tidy/") {
			continue
		}
		source := readDoc(t, name)
		for _, p := range passagesOf(t, name, source) {
			for _, id := range slices.Concat(bugID.FindAllString(p.text, -1), workedID.FindAllString(p.text, -1)) {
				cited[id] = append(cited[id], name)
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(source, -1) {
			tests[m[1]] = append(tests[m[1]], name)
		}
	}
	return cited, tests
}

// trackedFiles are the files of the tree by their paths from its root, what
// make fetches and builds aside.
func trackedFiles(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case !entry.IsDir():
			relative, err := filepath.Rel(root, name)
			files = append(files, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
