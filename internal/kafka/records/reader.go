package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// windowBytes is how much of a batch lies unpacked in memory, if none of its messages
// is larger: the largest event has room in it.
const windowBytes = schemas.MaxEventBytes + 64<<10

// What a Reader says instead of giving a message.
var (
	// ErrFull says that there is no room until Free.
	ErrFull = errors.New("no room for another message")
	// ErrLarge says that the batch can't be unpacked with little memory: see
	// [Reader.Enlarge].
	ErrLarge = errors.New("unpacking takes much memory")
)

// Reader reads the batches of one fetch after the other. It is used by one goroutine.
type Reader struct {
	pool   *Pool
	set    []byte
	batch  Batch
	window window
	// packed unpacks the batch: nil before its first message, and after its last.
	packed unpacker
	// left is how many messages are to come. Following is the length of the next one,
	// where that was read.
	left      int32
	following int64
	old       oldSet
	large     bool
}

// NewReader makes a reader of nothing.
func NewReader(pool *Pool) *Reader { return &Reader{pool: pool} }

// Reset begins to read a set of batches, which stays as it is until all is read. What
// was handed out stays, too.
func (r *Reader) Reset(set []byte) {
	r.close()
	r.set = set
}

// Batch goes on to the next batch; io.EOF says that there is none. What is left of the
// one before is not unpacked.
func (r *Reader) Batch() (Batch, error) {
	r.close()
	var err error
	r.batch, r.set, err = nextBatch(r.set)
	return r.batch, err
}

// Message reads the next message of the batch: its offset, time and bytes, which stay
// until Free. Of one larger than MaxBytes it gives the head. The end of the batch is
// io.EOF; after ErrFull and ErrLarge it can go on, and after no other error.
func (r *Reader) Message(m *schemas.Message) error {
	if err := r.open(); err != nil {
		return err
	}
	read := r.record
	if r.batch.magic < 2 {
		read = r.oldMessage
	}
	m.Omitted = 0
	switch err := read(m); {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, ErrFull), errors.Is(err, ErrLarge):
		return err
	default:
		return fmt.Errorf("batch of offsets %d to %d: %w", r.batch.First, r.batch.Last, err)
	}
}

// open begins to unpack the batch, unless that was begun.
func (r *Reader) open() (err error) {
	if r.packed != nil {
		return nil
	}
	if r.packed, err = r.pool.get(r.batch.packing, r.batch.body, r.large); err != nil {
		return fmt.Errorf("batch of offsets %d to %d: %w", r.batch.First, r.batch.Last, err)
	}
	r.left, r.following, r.old = r.batch.count, 0, oldSet{}
	r.window.begin(r.packed)
	return nil
}

// Enlarge begins the batch anew with as much memory as it takes, once that is this
// reader's turn: false if it is not within the time.
func (r *Reader) Enlarge(ctx context.Context, wait time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, errNotYet)
	defer cancel()
	if !r.pool.turn(ctx) {
		if err := context.Cause(ctx); !errors.Is(err, errNotYet) {
			return false, err
		}
		return false, nil
	}
	r.close()
	r.large = true
	return true, nil
}

var errNotYet = errors.New("it is another's turn")

// Free takes back what was handed out, or leaves it to the caller for good.
func (r *Reader) Free(kept bool) { r.window.free(kept) }

// Close lets go of all but what was handed out.
func (r *Reader) Close() { r.Reset(nil) }

// close ends unpacking.
func (r *Reader) close() {
	if r.packed != nil {
		r.packed.release(r.pool)
		r.packed = nil
	}
	if r.large {
		<-r.pool.large
		r.large = false
	}
}
