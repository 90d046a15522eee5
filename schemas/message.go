package schemas

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Message is one message as it lay in Kafka.
type Message struct {
	Position
	// Time is the Kafka timestamp in UTC, in milliseconds; zero for a message
	// that has none.
	Time    time.Time
	Key     []byte
	Value   []byte
	Headers []Header
	// Omitted is how many bytes of key, value and headers are not here, of a message
	// that is too large to be held: there is only their head. Else it is 0.
	Omitted int64
}

// Header is one header of a message; keys may repeat.
type Header struct {
	Key   string
	Value []byte
}

// MaxEventBytes is the largest event that is read: 1 MiB (contract 2).
const MaxEventBytes = 1 << 20

// ErrInvalid is what every rejection wraps: the input is wrong and will never
// work, as opposed to something that failed and may work later.
var ErrInvalid = errors.New("invalid event")

// Rejection says why a message is not an event (contract 2). It wraps
// ErrInvalid.
type Rejection struct {
	// Reason is machine-readable, one of a fixed list, as in "unknown_field".
	Reason string
	// Detail is a sentence for people that names the field and the value.
	Detail string
}

// Error says reason and detail.
func (r *Rejection) Error() string { return fmt.Sprintf("%s: %s", r.Reason, r.Detail) }

// Unwrap makes errors.Is(err, ErrInvalid) hold.
func (r *Rejection) Unwrap() error { return ErrInvalid }

// Hash is a 128-bit digest: the first half of a SHA-256.
type Hash [16]byte

// Identity is the digest of what makes an event the same event: (source, id),
// and nothing else (contract 2).
func Identity(source, id string) Hash {
	b := make([]byte, 0, 4+len(source)+len(id))
	b = binary.BigEndian.AppendUint32(b, uint32(len(source))) //nolint:gosec // at most 256 bytes
	b = append(b, source...)
	b = append(b, id...)
	sum := sha256.Sum256(b)
	return Hash(sum[:16])
}
