package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/reckon-billing/reckon/schemas"
	jsonschemas "github.com/reckon-billing/reckon/schemas/json"
)

// reporter is what a test, a fuzz test and a property test have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// published are the compiled JSON Schemas: event.json, and one a type; bundled is
// event.json again, as the one file that refers to no other.
type published struct {
	event, bundled *jsonschema.Schema
	types          map[schemas.Type]*jsonschema.Schema
}

func compileSchemas(t testing.TB) published {
	t.Helper()
	return compileWith(t, jsonschema.NewCompiler())
}

func compileWith(t testing.TB, c *jsonschema.Compiler) published {
	t.Helper()
	names, err := fs.Glob(jsonschemas.Files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := c.AddResource(jsonschemas.BaseURL+name, readSchema(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	p := published{types: map[schemas.Type]*jsonschema.Schema{}}
	for _, name := range names {
		compiled, err := c.Compile(jsonschemas.BaseURL + name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch kind := schemas.Type(strings.TrimSuffix(name, ".json")); kind {
		case "event":
			p.event = compiled
		case "common":
		default:
			p.types[kind] = compiled
		}
	}
	alone := jsonschema.NewCompiler()
	if err := alone.AddResource(jsonschemas.BaseURL+"alone.json", readSchema(t, "bundled/event.json")); err != nil {
		t.Fatal(err)
	}
	if p.bundled, err = alone.Compile(jsonschemas.BaseURL + "alone.json"); err != nil {
		t.Fatal(err)
	}
	return p
}

func readSchema(t testing.TB, name string) any {
	t.Helper()
	text, err := fs.ReadFile(jsonschemas.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc
}

// refuses tells whether an ordinary JSON reader cannot read the value, or the
// schemas refuse it: event.json, which must agree with that of the type.
func (p published) refuses(t reporter, value []byte) bool {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return true
	}
	return p.refusesDocument(t, tame(doc))
}

func (p published) refusesDocument(t reporter, doc any) bool {
	t.Helper()
	refused := p.event.Validate(doc) != nil
	if (p.bundled.Validate(doc) != nil) != refused {
		t.Errorf("event.json and its bundle disagree on %.500v", doc)
	}
	o, ok := doc.(map[string]any)
	if !ok {
		return refused
	}
	kind, _ := o["type"].(string)
	if s := p.types[schemas.Type(kind)]; s != nil && (s.Validate(doc) != nil) != refused {
		t.Errorf("event.json and %s.json disagree on %.500v", kind, doc)
	}
	packed, ok := o["data_base64"].(string)
	if refused || !ok {
		return refused
	}
	// What data_base64 holds a schema states as that of data: here it is looked at.
	text, err := base64.StdEncoding.Strict().DecodeString(packed)
	if err != nil {
		t.Errorf("its schema accepts the base64 of %.500q", packed)
		return true
	}
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return true
	}
	delete(o, "data_base64")
	o["data"] = tame(data)
	return p.refusesDocument(t, o)
}

// tame replaces numbers that the validator, which computes them exactly, could
// not hold: for the schemas 10^1000 is as good as any larger number, and its
// inverse as any smaller.
func tame(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = tame(v[k])
		}
	case []any:
		for i := range v {
			v[i] = tame(v[i])
		}
	case json.Number:
		mantissa, exponent, _ := strings.Cut(strings.ToLower(string(v)), "e")
		n, ok := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
		switch {
		case !ok || n.CmpAbs(big.NewInt(1000)) <= 0 || len(mantissa) > 1000:
			return v
		case !strings.ContainsAny(mantissa, "123456789"):
			return json.Number("0")
		case n.Sign() > 0:
			return json.Number(mantissa + "e1000")
		default:
			return json.Number(mantissa + "e-1000")
		}
	}
	return v
}

// agree holds the parser against the schemas: what is accepted passes, and what
// is refused for a reason that a schema can state fails.
func (p published) agree(t reporter, value []byte, reason string) (refused bool) {
	t.Helper()
	refused = p.refuses(t, value)
	switch {
	case reason == "" && refused:
		t.Errorf("accepted, but its schema refuses %.500q", value)
	case reason != "" && !refused && !slices.Contains(BeyondSchema(), reason):
		t.Errorf("refused as %s, but its schema accepts %.500q", reason, value)
	}
	return refused
}

func TestParserAndSchemasAgreeAndWhatSchemasCannotSayIsListed(t *testing.T) {
	p := compileSchemas(t)
	slipped := map[string]bool{}
	check := func(value []byte) {
		_, reason := reasonOf(t, &schemas.Message{Time: farStamp(), Value: value})
		if !p.agree(t, value, reason) {
			slipped[reason] = true
		}
	}
	for _, f := range corpus(t) {
		check(f.value)
	}
	for _, c := range strictEdits() {
		check([]byte(c.value(t)))
	}
	for _, c := range messageCases() {
		if _, reason := reasonOf(t, &c.message); c.message.Value != nil && !p.agree(t, c.message.Value, reason) {
			slipped[reason] = true
		}
	}
	for _, reason := range BeyondSchema() {
		if !slipped[reason] {
			t.Errorf("%s is listed as beyond the schemas, but no event of the tests passes its schema and is refused with it", reason)
		}
	}
}

func TestEachTypeHasASchemaWhoseExamplesAreAccepted(t *testing.T) {
	p := compileSchemas(t)
	if got, want := slices.Sorted(maps.Keys(p.types)), slices.Sorted(slices.Values(Types())); !slices.Equal(got, want) {
		t.Fatalf("schemas of %v, types %v", got, want)
	}
	for _, kind := range Types() {
		examples, _ := readSchema(t, string(kind)+".json").(map[string]any)["examples"].([]any)
		if len(examples) == 0 {
			t.Errorf("%s has no example", kind)
		}
		for _, example := range examples {
			value, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			e, reason := reasonOf(t, &schemas.Message{Time: farStamp(), Value: value})
			if reason != "" || e.Type != kind {
				t.Errorf("the example of %s: %s %q", kind, e.Type, reason)
			}
			p.agree(t, value, reason)
		}
	}
}

func TestAValidatorThatLooksIntoContentSeesDataInBase64(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertContent()
	p := compileWith(t, c)
	for reason, data := range map[string]string{accepted: `{"account_id":"a","item":"x","value":1}`, RejectMissingField: `{"account_id":"a","item":"x"}`} {
		value := strings.Replace(usageEvent, usageData, `"data_base64":"`+base64.StdEncoding.EncodeToString([]byte(data))+`"`, 1)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
		if err != nil {
			t.Fatal(err)
		}
		if _, got := reasonOf(t, structured(value)); got != reason || (p.event.Validate(doc) != nil) != (reason != accepted) {
			t.Errorf("%s: %q, and its schema says %v", data, got, p.event.Validate(doc))
		}
	}
}

// object looks at one object of a schema.
func object(t *testing.T, doc any, path ...string) map[string]any {
	t.Helper()
	for _, name := range path {
		doc = doc.(map[string]any)[name]
	}
	o, ok := doc.(map[string]any)
	if !ok {
		t.Fatalf("there is no object at %v", path)
	}
	return o
}

// sameFields compares the fields of an object schema with those of the parser.
func sameFields(t *testing.T, name string, schema map[string]any, required, optional fieldSet) {
	t.Helper()
	var needed, all []string
	for f := range fieldCount {
		if required.has(f) {
			needed = append(needed, f.String())
		}
		if (required | optional).has(f) {
			all = append(all, f.String())
		}
	}
	slices.Sort(needed)
	slices.Sort(all)
	var stated []string
	list, _ := schema["required"].([]any)
	for _, s := range list {
		stated = append(stated, s.(string))
	}
	slices.Sort(stated)
	if !slices.Equal(stated, needed) {
		t.Errorf("%s requires %v, the parser %v", name, stated, needed)
	}
	properties := slices.Sorted(maps.Keys(schema["properties"].(map[string]any)))
	if !slices.Equal(properties, all) {
		t.Errorf("%s has %v, the parser %v", name, properties, all)
	}
	if schema["additionalProperties"] != false {
		t.Errorf("%s allows other fields", name)
	}
	for field, s := range schema["properties"].(map[string]any) {
		if text, _ := s.(map[string]any)["description"].(string); text == "" && s.(map[string]any)["$ref"] == nil {
			t.Errorf("%s.%s has no description", name, field)
		}
	}
}

func TestTheSchemasHaveTheFieldsOfTheTypes(t *testing.T) {
	for _, kind := range Types() {
		doc := readSchema(t, string(kind)+".json")
		of := typeNamed(kind)
		sameFields(t, string(kind), object(t, doc, "properties", "data"), of.required, of.optional)
		for a := range attributeCount {
			if _, stated := object(t, doc, "properties")[a.String()]; !stated {
				t.Errorf("%s: attribute %s is not stated", kind, a)
			}
		}
	}
	common := readSchema(t, "common.json")
	required, optional := itemFields()
	sameFields(t, "item", object(t, common, "$defs", "item"), required, optional)
	sameFields(t, "coupon", object(t, common, "$defs", "coupon"), couponFields(), 0)
}
