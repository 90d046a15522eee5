package logs

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// Store is the logs of a database. It is safe for concurrent use.
type Store struct {
	db *column.DB
	// catchUp waits until what any replica has acknowledged can be read.
	catchUp func(context.Context) error
	notes   *column.GroupCommit[*note]
}

//go:embed queries/*.sql
var queries embed.FS

// New is the store of a database.
func New(db *column.DB, catchUp func(context.Context) error) *Store {
	return &Store{db: db.With(queries, columnLists()), catchUp: catchUp, notes: column.NewGroupCommit[*note]()}
}

// logRow is a row of logs; columns are all that it has.
type logRow struct {
	schemas.Log
	before schemas.EndedLog
}

func (r *logRow) columns() column.Fields {
	return column.Fields{
		{Name: "setting", Value: column.Word{Text: &r.Setting}},
		{Name: "log", Value: &r.Number},
		{Name: "topic", Value: &r.Topic},
		{Name: "topic_id", Value: &r.TopicID},
		{Name: "cluster_id", Value: &r.ClusterID},
		{Name: "begins", Value: &r.Begins},
		{Name: "before_topic", Value: &r.before.Topic},
		{Name: "before_log", Value: &r.before.Number},
		{Name: "before_ends", Value: &r.before.Ends},
		{Name: "before_seen", Value: &r.before.Seen},
		{Name: "began_at", Value: &r.BeganAt},
		{Name: "found", Value: &r.Found},
		{Name: "reason", Value: &r.Reason},
	}
}

func columnLists() column.Texts {
	all := column.Texts{}
	all.ColumnsOf("logs", new(logRow).columns().Names())
	return all
}

// Logs are all logs there were and are, by setting and number.
func (s *Store) Logs(ctx context.Context) ([]schemas.Log, error) {
	if err := s.catchUp(ctx); err != nil {
		return nil, err
	}
	var all []schemas.Log
	var r logRow
	err := s.db.Each(ctx, "logs", r.columns().Dest(), func() error {
		l := r.Log
		l.BeganAt = l.BeganAt.UTC()
		if before := r.before; before.Topic != "" {
			l.Before = &before
		}
		all = append(all, l)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the logs: %w", err)
	}
	return all, nil
}

// AddLog records a log. Of two that record one under the same number the first has it:
// what is stored is returned.
func (s *Store) AddLog(ctx context.Context, l schemas.Log) (schemas.Log, error) {
	r := logRow{Log: l}
	r.BeganAt = r.BeganAt.UTC().Truncate(time.Millisecond)
	if l.Before != nil {
		r.before = *l.Before
	}
	row, err := r.columns().Input()
	if err != nil {
		return l, err
	}
	// A server that was restored table by table may know the token of a row that is
	// gone, and drops the first insert then; the second has none.
	for _, token := range []string{fmt.Sprintf("log-%s-%d", l.Setting, l.Number), ""} {
		if err := s.db.Insert(ctx, token, column.Insert{Table: "logs", Blocks: []column.Input{row}}); err != nil {
			return l, fmt.Errorf("record log %d of %s: %w", schemas.LogNumber(l.Number), l.Topic, err)
		}
		if stored, err := s.log(ctx, &l); err != nil || stored != nil {
			return *cmp.Or(stored, &l), err
		}
	}
	return l, fmt.Errorf("log %d of %s was recorded but is not there", schemas.LogNumber(l.Number), l.Topic)
}

// log is the recorded one of a setting and number, nil where there is none.
func (s *Store) log(ctx context.Context, wanted *schemas.Log) (*schemas.Log, error) {
	all, err := s.Logs(ctx)
	for i := range all {
		if all[i].Setting == wanted.Setting && all[i].Number == wanted.Number {
			return &all[i], err
		}
	}
	return nil, err
}

// LastMessages are the last stored messages of a topic's first log, by partition, with
// their bytes: what a log from before there were logs is known by.
func (s *Store) LastMessages(ctx context.Context, topic string, log int32) ([]schemas.Message, error) {
	var all []schemas.Message
	var m schemas.Message
	var ms int64
	var value string
	err := s.db.Each(ctx, "last_messages", []any{&m.Partition, &m.Offset, &ms, &value}, func() error {
		last := schemas.Message{Position: schemas.Position{Log: log, Topic: topic, Partition: m.Partition, Offset: m.Offset}, Value: []byte(value)}
		if ms >= 0 {
			last.Time = time.UnixMilli(ms).UTC()
		}
		all = append(all, last)
		return nil
	}, column.Bind("topic", topic), column.Bind("log", log))
	if err != nil {
		return nil, fmt.Errorf("read the last stored messages of %s: %w", topic, err)
	}
	return all, nil
}
