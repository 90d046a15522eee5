package tidy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestNolintSilencesOnlyLintersThatRun holds what nolintlint cannot see: a
// comment for a linter that is not enabled counts as used there.
func TestNolintSilencesOnlyLintersThatRun(t *testing.T) {
	running := linters(t)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		content, err := os.ReadFile(path)
		for _, fault := range nolintFaults(string(content), running) {
			t.Errorf("%s: %s", path, fault)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// linters are those that .golangci.yml has run.
func linters(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct {
			Default string
			Enable  []string
		}
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	if config.Linters.Default != "standard" || len(config.Linters.Enable) == 0 {
		t.Fatalf(".golangci.yml enables %q and %v: teach this test which linters those are", config.Linters.Default, config.Linters.Enable)
	}
	return append(config.Linters.Enable, "errcheck", "govet", "ineffassign", "staticcheck", "unused")
}

// nolintFaults are the comments in a file that silence what does not run.
func nolintFaults(content string, running []string) []string {
	var faults []string
	for _, comment := range regexp.MustCompile(`//\s?nolint:([\w,]+)`).FindAllStringSubmatch(content, -1) {
		for linter := range strings.SplitSeq(comment[1], ",") {
			if !slices.Contains(running, linter) {
				faults = append(faults, "nolint silences "+linter+", which does not run: enable it in .golangci.yml or drop the comment")
			}
		}
	}
	return faults
}
