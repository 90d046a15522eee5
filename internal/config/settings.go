package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

const prefix = "RECKON_"

// Setting is one setting: what it is called in the file (Path) and in the
// environment (Env), and what it holds. A secret's Value is masked.
type Setting struct {
	Path    string
	Env     string
	Default string
	Value   string
	Doc     string
	Secret  bool
}

// Settings lists every setting in the order of the file, each with its default
// as its value.
func Settings() []Setting {
	var all []Setting
	for _, l := range leaves(&Config{}) {
		l.Value = l.Default
		all = append(all, l.Setting)
	}
	return all
}

// Settings lists every setting with the value it has here, secrets masked.
func (c Config) Settings() []Setting {
	var all []Setting
	for _, l := range leaves(&c) {
		l.Value = text(l.field)
		all = append(all, l.Setting)
	}
	return all
}

// leaf is a setting together with the field that holds it.
type leaf struct {
	Setting
	field reflect.Value
}

// leaves walks the struct: the tags are the one place where a setting is named.
func leaves(c *Config) []leaf { return walk(reflect.ValueOf(c).Elem(), "", prefix) }

func walk(v reflect.Value, path, env string) []leaf {
	var all []leaf
	for i := range v.NumField() {
		tags := v.Type().Field(i).Tag
		name := tags.Get("yaml")
		switch {
		case name == "-":
		case tags.Get("envPrefix") != "":
			all = append(all, walk(v.Field(i), path+name+".", env+tags.Get("envPrefix"))...)
		default:
			_, secret := v.Field(i).Interface().(Secret)
			all = append(all, leaf{
				Setting: Setting{
					Path: path + name, Env: env + tags.Get("env"), Default: tags.Get("envDefault"),
					Doc: tags.Get("doc"), Secret: secret,
				},
				field: v.Field(i),
			})
		}
	}
	return all
}

// text writes a field as it would be set by a variable.
func text(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case []string:
		return strings.Join(x, ",")
	case time.Duration:
		return duration(x)
	}
	return fmt.Sprint(v.Interface())
}

// duration drops the zero parts that Duration.String puts at the end: 1h0m0s
// is 1h.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// wants says what a field's text must look like.
func wants(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a duration: write it as 500ms, 90s or 1h30m"
	case reflect.TypeFor[ByteSize]():
		return "a size: write it as 1048576, 512KiB, 64MiB or 2GiB"
	case reflect.TypeFor[bool]():
		return "a truth value: write true or false"
	case reflect.TypeFor[int]():
		return "a whole number: write it with digits only"
	}
	return "a text"
}

// fault is the one form of a refusal.
func fault(path, env, format string, args ...any) error {
	return fmt.Errorf("%s (%s): %s", path, env, fmt.Sprintf(format, args...))
}

// nearest is the name with the fewest edits from the wrong one.
func nearest(wrong string, names []string) string {
	best, least := "", -1
	for _, name := range names {
		if d := edits(wrong, name); least < 0 || d < least {
			best, least = name, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
