package records

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Batch is the head of a batch.
type Batch struct {
	// First is the batch's offset, by which aborted transactions are known: of its
	// first message as it was written, of the last in an old message set.
	First int64
	// Last is the last offset that the batch covers, whether compaction has left the
	// message there or not.
	Last int64
	// Producer is the transaction's, where Transactional.
	Producer int64
	// Transactional tells that the messages count if their transaction is committed,
	// Control that they are no messages but end one.
	Transactional, Control bool

	packing   packing
	magic     int8
	timestamp int64 // what the messages' timestamps are counted from
	count     int32
	body      []byte
}

// Where things lie in a batch, and in a message of an old set.
const (
	atLength     = 8
	atBody       = 12 // what the length counts begins here
	atMagic      = 16
	atCRC        = 17
	atAttributes = 21
	atLastDelta  = 23
	atTimestamp  = 27
	atProducer   = 43
	atCount      = 57
	atRecords    = 61

	atOldCRC        = 12
	atOldAttributes = 17
	atOldTimestamp  = 18
)

// The attributes of a batch: three bits are its packing.
const (
	packingMask   = 7
	transactional = 1 << 4
	control       = 1 << 5
)

// nextBatch takes the first batch off a set. It is io.EOF at the end, and where the
// last batch is there only in part, as brokers leave it.
func nextBatch(set []byte) (b Batch, rest []byte, err error) {
	if len(set) <= atMagic {
		return b, nil, io.EOF
	}
	length := int64(int32(binary.BigEndian.Uint32(set[atLength:]))) //nolint:gosec // the bits are a signed number
	if length < atMagic+1-atBody {
		return b, nil, fmt.Errorf("a batch says that it has %d bytes", length)
	}
	if length > int64(len(set)-atBody) {
		return b, nil, io.EOF
	}
	whole := set[:atBody+length]
	switch magic := int8(set[atMagic]); magic { //nolint:gosec // the bits are a signed number
	case 0, 1:
		b, err = oldBatch(whole, magic)
	case 2:
		b, err = batch(whole)
	default:
		err = fmt.Errorf("a batch is of version %d, which is not known", magic)
	}
	if err != nil {
		return Batch{}, nil, fmt.Errorf("batch at offset %d: %w", binary.BigEndian.Uint64(set), err)
	}
	return b, set[atBody+length:], nil
}

var errShortBatch = errors.New("it is shorter than its own head")

//nolint:gosec // the bits are signed numbers
func batch(b []byte) (Batch, error) {
	if len(b) < atRecords {
		return Batch{}, errShortBatch
	}
	if err := checkCRC(b[atAttributes:], b[atCRC:], crc32.Castagnoli); err != nil {
		return Batch{}, err
	}
	attributes := binary.BigEndian.Uint16(b[atAttributes:])
	lastDelta, count := int32(binary.BigEndian.Uint32(b[atLastDelta:])), int32(binary.BigEndian.Uint32(b[atCount:]))
	if lastDelta < 0 || count < 0 {
		return Batch{}, fmt.Errorf("it says that it has %d messages, the last %d after the first", count, lastDelta)
	}
	first := int64(binary.BigEndian.Uint64(b))
	return Batch{
		First: first, Last: first + int64(lastDelta),
		Producer:      int64(binary.BigEndian.Uint64(b[atProducer:])),
		Transactional: attributes&transactional != 0, Control: attributes&control != 0,
		packing: packing(attributes & packingMask), magic: 2,
		timestamp: int64(binary.BigEndian.Uint64(b[atTimestamp:])), count: count, body: b[atRecords:],
	}, nil
}

// checkCRC compares the sum of bytes with the one that is written.
func checkCRC(of, written []byte, polynomial uint32) error {
	if sum, said := crc32.Checksum(of, crc32.MakeTable(polynomial)), binary.BigEndian.Uint32(written); sum != said {
		return fmt.Errorf("its checksum is %08x, and should be %08x", sum, said)
	}
	return nil
}
