package events

import (
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// knownData remembers what the data of lifecycle events says: most events repeat
// a configuration that was read before, and reading one costs 20 times a look-up.
// The items of equal data are shared, so nobody may write to them.
type knownData struct {
	// Two generations bound it: when the young one is full it becomes the old one,
	// and what is asked for again becomes young. size is that of the young one. An
	// LRU (golang-lru) bounds entries, not bytes, and costs a look-up 22 % more.
	young, old map[knownKey]*known
	size       int
	// last is of the event before: most say again what it said, and comparing costs
	// less than hashing.
	last *known
	// account is one whose name was read from data that began with prefix.
	account string
	prefix  string
}

// knownKey is data without the account, and what else decides how it is read.
type knownKey struct {
	kind schemas.Type
	rest string
}

// known is what data says, with its key.
type known struct {
	knownKey
	schemas.Lifecycle
}

// knownGeneration is the size of a generation, in bytes of data: some 20 000 lists
// of one item. What is made of them takes about five times as much.
const knownGeneration = 4 << 20

// knownSize is that of one: its data and what holds it.
func knownSize(rest string) int { return len(rest) + 64 }

func newKnownData() *knownData { return &knownData{young: map[knownKey]*known{}} }

// set is [codec.SetData].
func (k *knownData) set(e *schemas.Event, data string) error {
	sameAccount := e.AccountID == k.account && k.prefix != "" && strings.HasPrefix(data, k.prefix)
	if sameAccount {
		if known := k.find(e.Type, data[len(k.prefix):]); known != nil && expiresAfter(known, e.Time) {
			e.Lifecycle = known.Lifecycle
			return nil
		}
	}
	if err := codec.SetData(e, data); err != nil {
		return err
	}
	if !sameAccount {
		// What SetData has taken begins with exactly what AppendData writes of an
		// event that has only an account.
		bare := schemas.Event{AccountID: e.AccountID}
		k.prefix = strings.TrimSuffix(string(codec.AppendData(nil, &bare)), "}")
		k.account = e.AccountID
	}
	k.last = &known{knownKey{e.Type, data[len(k.prefix):]}, e.Lifecycle}
	// What a created resource is called comes with it alone, and never again but in
	// copies, which lie side by side.
	if e.Type != schemas.ResourceCreated {
		k.keep(k.last)
	}
	return nil
}

// expiresAfter tells whether what was read at another event's time may also be
// read at this one's (contract 2).
func expiresAfter(known *known, at time.Time) bool {
	return known.ExpiresAt.IsZero() || known.ExpiresAt.After(at)
}

func (k *knownData) find(kind schemas.Type, rest string) *known {
	if k.last != nil && k.last.kind == kind && k.last.rest == rest {
		return k.last
	}
	found := k.young[knownKey{kind, rest}]
	if found == nil {
		if found = k.old[knownKey{kind, rest}]; found == nil {
			return nil
		}
		k.keep(found)
	}
	k.last = found
	return found
}

func (k *knownData) keep(found *known) {
	if k.size >= knownGeneration {
		k.young, k.old, k.size = make(map[knownKey]*known, len(k.young)), k.young, 0
	}
	k.young[found.knownKey] = found
	k.size += knownSize(found.rest)
}
