package column

import (
	"github.com/ClickHouse/ch-go/proto"
)

// Columns of a fixed width are the library's own, to read and to insert: slices.
type (
	// Int32s is a column Int32.
	Int32s = proto.ColInt32
	// Int64s is a column Int64; for DateTime64 see [Millis].
	Int64s = proto.ColInt64
	// UInt8s is a column UInt8.
	UInt8s = proto.ColUInt8
	// UInt32s is a column UInt32.
	UInt32s = proto.ColUInt32
	// UInt64s is a column UInt64.
	UInt64s = proto.ColUInt64
	// Bools is a column Bool.
	Bools = proto.ColBool
	// FixedStrings is a column FixedString of its Size.
	FixedStrings = proto.ColFixedStr
	// FixedStrings16 is a column FixedString(16).
	FixedStrings16 = proto.ColFixedStr16
	// Decimal128s is a column Decimal(38, …) to read; see [DecimalOf128].
	Decimal128s = proto.ColDecimal128
	// Decimal256s is a column Decimal(76, …) to read; see [DecimalOf256].
	Decimal256s = proto.ColDecimal256
)

// Input is a block to insert: what each column is called, and what is in it.
type Input = proto.Input

// InputColumn is a column of an [Input].
type InputColumn = proto.InputColumn

// Millis makes a column DateTime64(3) of milliseconds to insert: they are the same
// bytes.
func Millis(ms *Int64s) Resettable { return millis{ms} }

type millis struct{ *proto.ColInt64 }

// Type is for the library.
func (millis) Type() proto.ColumnType { return "DateTime64(3, 'UTC')" }
