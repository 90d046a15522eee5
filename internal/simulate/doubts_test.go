package simulate

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/reckon-billing/reckon/schemas/codec"
)

// What of a scenario is probably not meant is said, once a file, by file and line; it is
// no reason not to play it.
func TestAScenarioThatIsProbablyNotMeantIsDoubted(t *testing.T) {
	const event, seal, mark = `{"specversion":"1.0","id":"1"}`, `{"seal":"2026-10"}`, "\xef\xbb\xbf"
	const (
		marked   = "a.jsonl:1: the file begins with a byte order mark, which makes its first line no JSON: save it as UTF-8 without"
		unsealed = `no line seals a month, as {"seal":"2026-10"} does: nothing is invoiced`
	)
	batch := func(where string) string {
		return where + ": a JSON array is no event: a scenario has one event a line, as jq -c '.[]' makes them of a batch"
	}
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"as it should be":                  {[]string{event + "\n" + seal + "\n"}, nil},
		"without a seal":                   {[]string{event + "\n"}, []string{unsealed}},
		"nothing":                          {[]string{"\n\r\n"}, nil},
		"an array among events":            {[]string{event + "\n[]\n" + seal}, nil},
		"a seal in the second file":        {[]string{event, seal}, nil},
		"a mark before an event":           {[]string{mark + event + "\n" + seal}, []string{marked}},
		"a mark before the seal":           {[]string{mark + seal}, []string{marked, unsealed}},
		"a mark in the midst":              {[]string{event + "\n" + mark + event + "\n" + seal}, nil},
		"a batch on one line":              {[]string{"[" + event + "," + event + "]\n" + seal}, []string{batch("a.jsonl:1")}},
		"a batch over lines":               {[]string{"\n [\n" + event + ",\n" + event + "\n]\n" + seal}, []string{batch("a.jsonl:2")}},
		"a marked batch, and another file": {[]string{mark + "[" + event + "]\n[]", "[]\n" + seal}, []string{marked, batch("a.jsonl:1"), batch("b.jsonl:1")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			var names []string
			for i, content := range c.files {
				name := string(rune('a'+i)) + ".jsonl"
				if err := os.WriteFile(filepath.Join(".", name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				names = append(names, name)
			}
			s, err := OpenScenario(context.Background(), names, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			facts, err := s.Survey(context.Background(), codec.Parser{})
			if err != nil || !slices.Equal(facts.Doubts, c.want) {
				t.Errorf("got %q, %v, want %q", facts.Doubts, err, c.want)
			}
		})
	}
}
