package codec

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// eventsDoc is docs/events.md, which product teams read.
func eventsDoc(t *testing.T) string {
	t.Helper()
	for folder := "."; ; folder = filepath.Join(folder, "..") {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err != nil {
			if path, err := filepath.Abs(folder); err != nil || path == filepath.Dir(path) {
				t.Fatalf("no go.mod above: %v", err)
			}
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, "docs", "events.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// fenced are the blocks of the document in a language.
func fenced(doc, language string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(doc, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

func TestTheDocumentHasAnExampleOfEachTypeThatIsRead(t *testing.T) {
	p := compileSchemas(t)
	var seen []schemas.Type
	for _, example := range fenced(eventsDoc(t), "json") {
		e, reason := reasonOf(t, structured(example))
		if reason != "" {
			t.Errorf("refused as %s: %s", reason, example)
		}
		if p.refuses(t, []byte(example)) {
			t.Errorf("its schema refuses %s", example)
		}
		seen = append(seen, e.Type)
	}
	if !slices.Equal(seen, Types()) {
		t.Errorf("examples are of %v, want one each of %v", seen, Types())
	}
}

// The binary example says what the last structured one says, and so does what
// kcat is told to send.
func TestTheDocumentsExamplesOfBothModesAreOneEvent(t *testing.T) {
	doc := eventsDoc(t)
	examples, binary, shell := fenced(doc, "json"), fenced(doc, "message"), fenced(doc, "sh")
	if len(examples) == 0 || len(binary) != 1 || len(shell) != 1 {
		t.Fatalf("%d structured examples, %d binary ones, %d for a shell", len(examples), len(binary), len(shell))
	}
	want, _ := reasonOf(t, structured(examples[len(examples)-1]))

	heads, value, _ := strings.Cut(binary[0], "\n\n")
	m := structured(value)
	for line := range strings.Lines(heads) {
		key, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		m.Headers = append(m.Headers, schemas.Header{Key: key, Value: []byte(text)})
	}
	if got, reason := reasonOf(t, m); reason != "" || !reflect.DeepEqual(got, want) {
		t.Errorf("%q: the binary example says %+v, the structured one %+v", reason, got, want)
	}
	_, sent, _ := strings.Cut(shell[0], "<<'EVENT'\n")
	sent, _, _ = strings.Cut(sent, "\nEVENT")
	if got, reason := reasonOf(t, structured(sent)); reason != "" || !reflect.DeepEqual(got, want) {
		t.Errorf("%q: the shell sends %+v, the example is %+v", reason, got, want)
	}
}

func TestTheDocumentListsEveryReason(t *testing.T) {
	var want []string
	for _, r := range Reasons() {
		want = append(want, fmt.Sprintf("| `%s` | %s |", r.Reason, r.Sentence))
	}
	_, after, _ := strings.Cut(eventsDoc(t), "| reason | what it means |\n|---|---|\n")
	list, _, _ := strings.Cut(after, "\n\n")
	got := strings.Split(list, "\n")
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("row %d of docs/events.md is\n%s\nmust be\n%s", i+1, g, w)
		}
	}
}
