package schemas

import (
	"fmt"
	"time"
)

// Log is one life of a topic on one cluster (contract 2). Its messages have offsets
// that mean nothing in another.
type Log struct {
	// Setting is which of reckon's topics it is: lifecycle or usage.
	Setting string
	// Number is as in [Position]: 0 for the first.
	Number int32
	Topic  string
	// TopicID and ClusterID are empty where the broker tells none.
	TopicID, ClusterID string
	// Begins are the first offsets of the partitions when it was first seen, by
	// partition.
	Begins []int64
	// Before is the log that it took the place of, nil for the first.
	Before *EndedLog
	// BeganAt is when it was recorded, UTC; Found what was found then, and Reason why
	// the operator accepted it, empty for the first.
	BeganAt       time.Time
	Found, Reason string
}

// EndedLog is a log that another has taken the place of.
type EndedLog struct {
	Topic  string
	Number int32
	// Ends are where its partitions were stored to, Seen where they were last seen to
	// end.
	Ends, Seen []int64
}

// Begin is the first offset of a partition. Partitions that were added later begin
// at 0.
func (l *Log) Begin(partition int32) int64 {
	if int(partition) < len(l.Begins) {
		return l.Begins[partition]
	}
	return 0
}

// Partition is one of the log's, without an end.
func (l *Log) Partition(id int32) PartitionEnd {
	return PartitionEnd{Log: l.Number, Topic: l.Topic, Partition: id}
}

// LogNote says that a partition is stored from an offset up to another.
type LogNote struct {
	// PartitionEnd is the partition, and where the note ends.
	PartitionEnd
	From int64
	// Seen is the last stable offset of the partition then.
	Seen int64
	// Reason is why an operator accepted that these messages are not there; empty for
	// messages that are stored.
	Reason string
}

// Reached is how far a partition is stored: the end of the unbroken chain of notes.
type Reached struct {
	PartitionEnd
	// Seen is the furthest that the partition was seen to end.
	Seen int64
}

// RefusedLogError says why nothing is read or sealed before an operator has said what
// the log is.
type RefusedLogError struct{ Found []LogDifference }

// LogDifference is one way in which a log is not what is known of it.
type LogDifference struct {
	Setting string
	// Gap tells that messages between From and To of the partition are gone, which
	// leaves a gap; else it is another log.
	Gap       bool
	Partition int32
	From, To  int64
	// Said names the topic, the partition and both sides.
	Said string
}

func (e *RefusedLogError) Error() string {
	text := ""
	for i := range e.Found {
		if i > 0 {
			text += "; "
		}
		text += e.Found[i].Said
	}
	return fmt.Sprintf("%s: look with reckon log list, and say which it is with reckon log accept --reason …", text)
}
