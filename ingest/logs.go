package ingest

import (
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// FoundLog is what a broker tells of a topic now. TopicID and ClusterID are empty where
// it tells none; Begins and Ends, the last stable offsets, are by partition.
type FoundLog struct {
	Topic, TopicID, ClusterID string
	Begins, Ends              []int64
}

// KnownLog is what is recorded of a setting's newest log, and how far each of its
// partitions is stored; no partition beyond Stored has anything.
type KnownLog struct {
	schemas.Log
	Stored []int64
	// Changed are partitions of which the last stored message is another one now. It
	// is asked only where no ids are told.
	Changed []int32
}

// StoredTo is how far a partition is stored.
func (k *KnownLog) StoredTo(partition int32) int64 {
	if int(partition) < len(k.Stored) {
		return k.Stored[partition]
	}
	return k.Begin(partition)
}

// CompareLogs says how what is found differs from what is known (contract 2): nothing
// where the log goes on as it was, else that it is another log, or which messages are
// gone from it.
func CompareLogs(known *KnownLog, found *FoundLog) []schemas.LogDifference {
	if said := otherLog(known, found); said != "" {
		return []schemas.LogDifference{{Setting: known.Setting, Said: said}}
	}
	var gaps []schemas.LogDifference
	for p, begin := range found.Begins {
		id := int32(p)
		if stored := known.StoredTo(id); begin > stored {
			gaps = append(gaps, schemas.LogDifference{
				Setting: known.Setting, Gap: true, Partition: id, From: stored, To: begin,
				Said: fmt.Sprintf("%s/%d begins at offset %d and is stored to %d: messages were deleted before they were read",
					found.Topic, p, begin, stored),
			})
		}
	}
	return gaps
}

// otherLog says why it is another log, "" if it is not.
func otherLog(known *KnownLog, found *FoundLog) string {
	told := func(a, b string) bool { return a != "" && b != "" }
	switch {
	case known.Topic != found.Topic:
		return fmt.Sprintf("kafka.topics.%s names topic %s, and log %d of it is of topic %s",
			known.Setting, found.Topic, schemas.LogNumber(known.Number), known.Topic)
	case told(known.ClusterID, found.ClusterID) && known.ClusterID != found.ClusterID:
		return fmt.Sprintf("topic %s lies on cluster %s, and log %d of it on cluster %s",
			found.Topic, found.ClusterID, schemas.LogNumber(known.Number), known.ClusterID)
	case told(known.TopicID, found.TopicID) && known.TopicID != found.TopicID:
		return fmt.Sprintf("topic %s has id %s, and log %d of it has id %s: it was deleted and made again",
			found.Topic, found.TopicID, schemas.LogNumber(known.Number), known.TopicID)
	case len(found.Ends) < len(known.Begins):
		return fmt.Sprintf("topic %s has %d partitions, and log %d of it has %d",
			found.Topic, len(found.Ends), schemas.LogNumber(known.Number), len(known.Begins))
	}
	for p := range max(len(known.Stored), len(found.Ends)) {
		stored := known.StoredTo(int32(p))
		switch {
		case p >= len(found.Ends):
			return fmt.Sprintf("%s/%d is stored to offset %d, and there is no such partition", found.Topic, p, stored)
		case found.Ends[p] < stored:
			return fmt.Sprintf("%s/%d ends at offset %d and is stored to %d: it was cut back, or is another one", found.Topic, p, found.Ends[p], stored)
		}
	}
	for _, p := range known.Changed {
		return fmt.Sprintf("%s/%d has another message before offset %d than the one that is stored", found.Topic, p, known.StoredTo(p))
	}
	return ""
}
