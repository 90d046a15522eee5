package codec

import (
	"slices"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
)

// family is the events that share a topic and a payload. A new one is a file like
// usage.go, with its topic, fields, types and reasons, and its line in each list of
// this file; a new type of a family is a line in the family's file.
//
// The lists are calls and no table of functions: what is handed to a function that
// is not known when it is compiled is allocated, and that would be each event.
type family int

const (
	// noFamily is that of a type that there is not.
	noFamily family = iota
	lifecycleFamily
	usageFamily
)

// families says what each family has, in the order of their fields' numbers.
func families() []familyFacts {
	return []familyFacts{lifecycleFacts(), usageFacts(), itemFacts()}
}

// fieldCount is where the fields of the last file end.
const fieldCount = fieldItemEnd

// payload checks the fields of the family strictly: step 4 of Parser.
func (c *checker) payload(e *schemas.Event, raw *rawEvent, t *eventType) {
	switch t.family {
	case lifecycleFamily:
		c.lifecycle(&e.Lifecycle, raw, t)
	case usageFamily:
		c.usage(&e.Usage, raw)
	case noFamily:
	}
}

// joins finds what is wrong between fields of which each is right: step 5 of Parser.
func (t *eventType) joins(e *schemas.Event) fault {
	switch t.family {
	case lifecycleFamily:
		return lifecycleJoins(e)
	case usageFamily, noFamily:
	}
	return fault{}
}

// payload reads the field of that name, noField if the family has none.
func (p *FastParser) payload(e *schemas.Event, name []byte) (field, bool) {
	switch p.family {
	case lifecycleFamily:
		return p.lifecycle(&e.Lifecycle, name)
	case usageFamily:
		return p.usage(&e.Usage, name)
	case noFamily:
	}
	return noField, false
}

// appendPayload appends the fields of the family in canonical form.
func appendPayload(b []byte, e *schemas.Event, t *eventType) []byte {
	switch t.family {
	case lifecycleFamily:
		return appendLifecycle(b, &e.Lifecycle, t)
	case usageFamily:
		return appendUsage(b, &e.Usage)
	case noFamily:
	}
	return b
}

// payload reads the fields of the family as appendPayload writes them.
func (r *canonicalReader) payload(e *schemas.Event, t *eventType) {
	switch t.family {
	case lifecycleFamily:
		r.lifecycle(&e.Lifecycle, t)
	case usageFamily, noFamily:
		r.bad = true // usage has columns of its own
	}
}

// familyFacts is what one file adds to the words that are read.
type familyFacts struct {
	// topic is the one that its events come in by default (contract 2).
	topic string
	// fields are the names of its fields, in the order of their numbers.
	fields []string
	types  []eventType
	// reasons are those that only its fields are refused for.
	reasons []ReasonText
}

// eventType is a type of event with the fields that its data must have and may have,
// beside account_id.
type eventType struct {
	name               schemas.Type
	family             family
	topic              string
	required, optional fieldSet
	// ofAccount tells that the subject is the account, and no resource.
	ofAccount bool
}

// has tells whether the type may have the field.
func (t *eventType) has(f field) bool { return (t.required | t.optional).has(f) }

// fault is what is wrong with a field; without a reason nothing is.
type fault struct {
	field           field
	reason, problem string
}

// field is a field of data, of an item or of a coupon.
type field int

// The fields of the families follow: each file numbers its own from where the file
// before it ended.
const (
	noField        field = -1
	fieldAccountID field = 0
	fieldFamilies  field = 1
)

// fieldSet is a set of fields.
type fieldSet uint64

// There are no more fields than a set has room for, else this does not compile.
const _ = uint(64 - fieldCount)

func fieldsOf(fields ...field) (s fieldSet) {
	for _, f := range fields {
		s |= 1 << f
	}
	return s
}

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// words are all that the families bring, put together.
type words struct {
	types   []eventType
	none    eventType
	names   [fieldCount]string
	reasons []ReasonText
	// slots is a hash table of the types; one that is free ends a search.
	slots [typeSlots]*eventType
}

const typeSlots = 64

var known = newWords(families()) //nolint:gochecknoglobals // made once, never changed

func newWords(all []familyFacts) (w words) {
	names, reasons := []string{"account_id"}, commonReasons()
	for _, facts := range all {
		for _, t := range facts.types {
			t.topic = facts.topic
			t.required |= 1 << fieldAccountID
			w.types = append(w.types, t)
		}
		names, reasons = append(names, facts.fields...), append(reasons, facts.reasons...)
	}
	copy(w.names[:], names)
	for i := range w.types {
		slot := typeSlot(w.types[i].name)
		for w.slots[slot%typeSlots] != nil {
			slot++
		}
		w.slots[slot%typeSlots] = &w.types[i]
	}
	slices.SortFunc(reasons, func(a, b ReasonText) int { return strings.Compare(a.Reason, b.Reason) })
	w.reasons = reasons
	return w
}

// typeSlot is where the search for a type begins: at bytes in which most differ.
func typeSlot(name schemas.Type) uint {
	n := len(name)
	if n < 4 {
		return 0
	}
	return uint(n) + 5*uint(name[n-3]) + 3*uint(name[n-4])
}

func (f field) String() string { return known.names[f] }

// fieldNamed is the field of that name, noField for none of them.
func fieldNamed(name string) field { return field(slices.Index(known.names[:], name)) }

// typeNamed is the type of that name; without a family for a name that is none's.
func typeNamed(name schemas.Type) *eventType {
	for slot := typeSlot(name); ; slot++ {
		t := known.slots[slot%typeSlots]
		if t == nil {
			return &known.none
		}
		if t.name == name {
			return t
		}
	}
}

// familyWith is the first family whose events may have the field.
func familyWith(f field) family {
	for i := range known.types {
		if f != noField && known.types[i].has(f) {
			return known.types[i].family
		}
	}
	return noFamily
}

// Types lists the types of events (contract 2).
func Types() []schemas.Type {
	types := make([]schemas.Type, len(known.types))
	for i := range known.types {
		types[i] = known.types[i].name
	}
	return types
}

// Topics lists the topics that events come in, where no setting names others.
func Topics() (topics []string) {
	for i := range known.types {
		if !slices.Contains(topics, known.types[i].topic) {
			topics = append(topics, known.types[i].topic)
		}
	}
	return topics
}

// Topic is the topic that events of the type come in, where no setting names another;
// empty for a type that there is not (contract 2).
func Topic(t schemas.Type) string { return typeNamed(t).topic }
