package jsonschemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// member is one of an object, in the order that it is written.
type member struct {
	name  string
	value json.RawMessage
}

func membersOf(t *testing.T, object []byte) (all []member) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		m := member{name: name.(string)}
		if err := d.Decode(&m.value); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func write(members []member) []byte {
	var b bytes.Buffer
	for i, m := range members {
		b.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(&b, "%q:%s", m.name, m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := fs.ReadFile(Files, name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// localized is a schema whose references stay within the bundle: those to other files
// lead to definitions, those to the file itself to where it lies.
func localized(schema []byte, at string, files []string) []byte {
	rules := []string{`"$ref": "#/`, `"$ref": "` + at + `/`, `"$ref": "common.json#/`, `"$ref": "#/`}
	for _, file := range files {
		rules = append(rules, `"$ref": "`+file+`"`, `"$ref": "#/$defs/`+strings.TrimSuffix(file, ".json")+`"`)
	}
	return []byte(strings.NewReplacer(rules...).Replace(string(schema)))
}

// bundle makes one file of a schema and all that it refers to.
func bundle(t *testing.T, name string) []byte {
	t.Helper()
	known, files := map[string][]byte{}, schemaFiles(t)
	for _, m := range membersOf(t, read(t, "common.json")) {
		if m.name == "$defs" {
			for _, def := range membersOf(t, m.value) {
				known[def.name] = localized(def.value, "#", files)
			}
		}
	}
	for _, file := range files {
		kind := strings.TrimSuffix(file, ".json")
		inner := slices.DeleteFunc(membersOf(t, localized(read(t, file), "#/$defs/"+kind, files)), func(m member) bool {
			return m.name == "$schema" || m.name == "$id"
		})
		known[kind] = write(inner)
	}
	top := membersOf(t, localized(read(t, name), "#", files))
	for i := range top {
		if top[i].name == "$id" {
			top[i].value = json.RawMessage(`"` + BaseURL + "bundled/" + name + `"`)
		}
	}
	used := map[string]bool{}
	use(known, used, write(top))
	var defs []member
	for _, name := range slices.Sorted(maps.Keys(used)) {
		defs = append(defs, member{name, known[name]})
	}
	var b bytes.Buffer
	if err := json.Indent(&b, write(append(top, member{"$defs", write(defs)})), "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

// use notes which definitions a schema needs, and those that these need.
func use(known map[string][]byte, used map[string]bool, schema []byte) {
	for _, m := range regexp.MustCompile(`"#/\$defs/([A-Za-z0-9_.]+)`).FindAllSubmatch(schema, -1) {
		if name := string(m[1]); !used[name] {
			used[name] = true
			use(known, used, known[name])
		}
	}
}

// schemaFiles are those of events: all but what they share.
func schemaFiles(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(Files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "common.json" })
}

// UPDATE=1 writes them again, to be read as a diff.
func TestEachSchemaIsThereAsOneFileToo(t *testing.T) {
	for _, name := range schemaFiles(t) {
		want := bundle(t, name)
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(path.Join("bundled", name), want, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got := read(t, path.Join("bundled", name)); !bytes.Equal(got, want) {
			t.Errorf("bundled/%s is not what %s and common.json say; run with UPDATE=1 and read the diff", name, name)
		}
	}
	bundled, err := fs.Glob(Files, "bundled/*")
	if err != nil || len(bundled) != len(schemaFiles(t)) {
		t.Errorf("%d bundled files for %d schemas: %v", len(bundled), len(schemaFiles(t)), err)
	}
}

// Nothing is looked up while a bundled file is compiled: it stands alone.
func TestABundledSchemaStandsAlone(t *testing.T) {
	for _, name := range schemaFiles(t) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, path.Join("bundled", name))))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.UseLoader(jsonschema.SchemeURLLoader{})
		// Under another address than its own, as in a product's folder.
		if err := c.AddResource("file:///"+name, doc); err != nil {
			t.Fatal(err)
		}
		schema, err := c.Compile("file:///" + name)
		if err != nil {
			t.Errorf("%s does not stand alone: %v", name, err)
			continue
		}
		examples, _ := doc.(map[string]any)["examples"].([]any)
		for _, example := range examples {
			if err := schema.Validate(example); err != nil {
				t.Errorf("%s refuses its own example: %v", name, err)
			}
		}
	}
}
