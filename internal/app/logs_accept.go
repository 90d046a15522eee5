package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// LogState is how one log stands.
type LogState struct {
	schemas.Log
	// Reached are its partitions with how far each is stored, of the log that is read;
	// of one that has ended they are where it ended.
	Reached []schemas.Reached
	// Ended tells that another has taken its place.
	Ended bool
}

// LogReport is what is known of the logs, and how what the brokers tell differs from it.
type LogReport struct {
	Logs  []LogState
	Gaps  []schemas.LogNote
	Found []schemas.LogDifference
}

// Logs tells what is known of the logs, and records nothing.
func (a *App) Logs(ctx context.Context) (*LogReport, error) {
	all, err := a.Store.Logs(ctx)
	if err != nil {
		return nil, err
	}
	r := &LogReport{}
	for i := range all {
		state := LogState{Log: all[i]}
		after := slices.IndexFunc(all, func(l schemas.Log) bool {
			return l.Setting == all[i].Setting && l.Before != nil && l.Before.Number == all[i].Number
		})
		if state.Ended = after >= 0; state.Ended {
			state.Reached = endOf(&all[i], all[after].Before)
		} else if state.Reached, err = a.reached(ctx, &all[i]); err != nil {
			return nil, err
		}
		r.Logs = append(r.Logs, state)
	}
	if r.Gaps, err = a.Store.Gaps(ctx); err != nil {
		return nil, err
	}
	b, err := a.readLogs(ctx)
	if err != nil {
		return nil, err
	}
	r.Found = b.differences()
	return r, nil
}

func endOf(l *schemas.Log, ended *schemas.EndedLog) (all []schemas.Reached) {
	for p, end := range ended.Ends {
		r := schemas.Reached{PartitionEnd: l.Partition(int32(p)), Seen: end}
		if r.End = end; p < len(ended.Seen) {
			r.Seen = ended.Seen[p]
		}
		all = append(all, r)
	}
	return all
}

func (a *App) reached(ctx context.Context, l *schemas.Log) ([]schemas.Reached, error) {
	partitions, err := a.Store.Partitions(ctx, l)
	if err != nil {
		return nil, err
	}
	return a.Store.Reached(ctx, partitions)
}

// AcceptLogs records what is there now as what it is (contract 2): another log of its
// setting, or a gap. Found is what differed, and what was recorded of it; nothing where
// all is as it is known.
func (a *App) AcceptLogs(ctx context.Context, reason string) (found []schemas.LogDifference, err error) {
	b, err := a.readLogs(ctx)
	if err != nil {
		return nil, err
	}
	for i := range b.known {
		different := ingest.CompareLogs(&b.known[i], &b.found[i])
		if len(different) == 0 {
			continue
		}
		if err := a.accept(ctx, &b.known[i], &b.found[i], different, reason); err != nil {
			return found, err
		}
		found = append(found, different...)
	}
	return found, nil
}

func (a *App) accept(ctx context.Context, known *ingest.KnownLog, found *ingest.FoundLog, different []schemas.LogDifference, reason string) error {
	if known.BeganAt.IsZero() {
		if err := a.beginUnseen(ctx, known); err != nil {
			return err
		}
	}
	if !different[0].Gap {
		return a.acceptLog(ctx, known, found, different[0].Said, reason)
	}
	for _, d := range different {
		gap := schemas.LogNote{PartitionEnd: known.Partition(d.Partition), From: d.From, Reason: reason}
		gap.End, gap.Seen = d.To, d.To
		if err := a.Store.AcceptGap(ctx, gap, a.Now()); err != nil {
			return err
		}
	}
	return nil
}

// beginUnseen records the first log of a topic that was read before there were logs and
// is not there any more: all that is stored of it is what there is.
func (a *App) beginUnseen(ctx context.Context, known *ingest.KnownLog) error {
	known.BeganAt, known.Found = a.Now(), "was read before there were logs"
	known.Begins = make([]int64, len(known.Stored))
	var marks []schemas.PartitionEnd
	for p, stored := range known.Stored {
		at := known.Partition(int32(p))
		at.End = stored
		marks = append(marks, at)
	}
	if err := a.Store.Mark(ctx, marks); err != nil {
		return err
	}
	stored, err := a.Store.AddLog(ctx, known.Log)
	known.Log = stored
	return err
}

// acceptLog records that another log begins, and where the one before ended.
func (a *App) acceptLog(ctx context.Context, known *ingest.KnownLog, found *ingest.FoundLog, said, reason string) error {
	reached, err := a.reached(ctx, &known.Log)
	if err != nil {
		return err
	}
	before := &schemas.EndedLog{Topic: known.Topic, Number: known.Number}
	for _, r := range reached {
		before.Ends, before.Seen = append(before.Ends, r.End), append(before.Seen, r.Seen)
	}
	next := schemas.Log{
		Setting: known.Setting, Number: schemas.LogNumber(known.Number) + 1, Topic: found.Topic, TopicID: found.TopicID, ClusterID: found.ClusterID,
		Begins: found.Begins, Before: before, BeganAt: a.Now(), Found: said, Reason: reason,
	}
	stored, err := a.Store.AddLog(ctx, next)
	if err == nil && stored.TopicID != next.TopicID {
		err = fmt.Errorf("log %d of %s was accepted by somebody else at the same time: look again with reckon log list", next.Number, found.Topic)
	}
	return err
}
