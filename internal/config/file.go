package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readFile flattens the file to what its settings would be as variables, so
// that both are read by the same rules, and says all that is wrong in it.
func readFile(path string) (map[string]string, []error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, []error{err}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, []error{err}
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, []error{errors.New("holds more than one document: keep one")}
	}
	f := flattener{settings: leaves(&Config{}), values: map[string]string{}, lines: map[string]int{}}
	f.section(document.Content[0], "")
	return f.values, f.problems
}

// flattener walks a YAML document.
type flattener struct {
	settings []leaf
	values   map[string]string
	lines    map[string]int
	problems []error
}

func (f *flattener) refuse(line int, format string, args ...any) {
	f.problems = append(f.problems, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
}

// section reads a mapping; path is empty or ends in a dot.
func (f *flattener) section(node *yaml.Node, path string) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		name := cmp.Or(strings.TrimSuffix(path, "."), "the file")
		f.refuse(node.Line, "%s: is a group of settings: write its settings below it as name: value", name)
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		name := path + key.Value
		if first, twice := f.lines[name]; twice {
			f.refuse(key.Line, "%s: stands in line %d already: keep one", name, first)
			continue
		}
		f.lines[name] = key.Line
		f.entry(key.Line, name, value)
	}
}

func (f *flattener) entry(line int, name string, value *yaml.Node) {
	var paths []string
	for _, s := range f.settings {
		if s.Path == name {
			f.value(line, s, value)
			return
		}
		if strings.HasPrefix(s.Path, name+".") {
			f.section(value, name+".")
			return
		}
		paths = append(paths, s.Path)
	}
	near := nearest(name, paths)
	f.refuse(line, "%s (%s): there is no such setting: remove it or write %s", name, variable(name), near)
}

func (f *flattener) value(line int, s leaf, node *yaml.Node) {
	switch {
	case isNull(node):
	case node.Kind == yaml.ScalarNode:
		f.values[s.Env] = node.Value
	case node.Kind == yaml.SequenceNode && s.field.Kind() == reflect.Slice:
		var parts []string
		for _, part := range node.Content {
			if part.Kind != yaml.ScalarNode {
				f.refuse(line, "%s (%s): is a list of texts: write each on its own", s.Path, s.Env)
				return
			}
			parts = append(parts, part.Value)
		}
		f.values[s.Env] = strings.Join(parts, ",")
	default:
		f.refuse(line, "%s (%s): is a single value: write it behind the colon", s.Path, s.Env)
	}
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// variable is how a path is called in the environment.
func variable(path string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}
