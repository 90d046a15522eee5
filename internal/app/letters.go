package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// LetterReplay chooses dead letters to be produced again.
type LetterReplay struct {
	Filter audit.DeadLetterFilter
	// Fix replaces the value of the letters, where Fixed says so.
	Fix   []byte
	Fixed bool
	// Again takes also those that were replayed before.
	Again bool
}

// LetterCounts are the letters that were chosen and those of them that were left
// out, as replayed before, or since only the head of the message is here; of the
// others how many would be stored and how many rejected again.
type LetterCounts struct{ Chosen, Skipped, Heads, Stored, Rejected int }

// Left is how many are replayed.
func (c *LetterCounts) Left() int { return c.Chosen - c.Skipped - c.Heads }

// PreviewLetters tells of each letter what would become of it now: a rejection, or
// nil for one that would be stored.
func (a *App) PreviewLetters(ctx context.Context, r *LetterReplay, each func(*audit.DeadLetter, *schemas.Rejection)) (LetterCounts, error) {
	now := a.Now()
	return a.letters(ctx, r, func(l *audit.DeadLetter, c *LetterCounts) error {
		each(l, a.judge(l, now, c))
		return nil
	})
}

// ReplayLetters produces the letters again to the topics that they came from, and
// writes down that it did, in this order: a crash in between sends some a second
// time, which are duplicates then. Done is told when all are sent; on an embedded
// stack that was started here it then waits until ingest has stored them.
func (a *App) ReplayLetters(ctx context.Context, r *LetterReplay, done func(LetterCounts)) error {
	return a.WithIngest(ctx, func(ctx context.Context) error {
		c, err := a.replayLetters(ctx, r)
		if err != nil {
			return err
		}
		done(c)
		if !a.Started() || c.Left() == 0 {
			return nil
		}
		v, err := a.Sealer(nil)
		if err != nil {
			return err
		}
		_, err = v.NoteCutoff(ctx)
		return err
	})
}

// letters hands out the letters to be replayed, and counts them.
func (a *App) letters(ctx context.Context, r *LetterReplay, send func(*audit.DeadLetter, *LetterCounts) error) (LetterCounts, error) {
	var c LetterCounts
	err := a.Store.DeadLetters(ctx, r.Filter, true, func(l *audit.DeadLetter) error {
		c.Chosen++
		if !r.Again && (l.Replays > 0 || l.ReplayOf != nil) {
			c.Skipped++
			return nil
		}
		switch {
		case r.Fixed:
			l.Value = r.Fix
		case isHead(l):
			c.Heads++
			return nil
		}
		return send(l, &c)
	})
	if err == nil && c.Chosen == 0 && r.Filter.At != nil {
		return c, fmt.Errorf("there is no dead letter at %s", r.Filter.At.Where())
	}
	return c, err
}

// isHead tells whether a letter is of a message that was too large to be held: of
// what is here whole, the value was too large. As an event of its own it could pass.
func isHead(l *audit.DeadLetter) bool {
	return l.Reason == codec.RejectTooLarge && len(l.Value) <= schemas.MaxEventBytes
}

// judge tells and counts what would become of a letter at the given time.
func (a *App) judge(l *audit.DeadLetter, now time.Time, c *LetterCounts) *schemas.Rejection {
	m := l.Message
	m.Time = now
	_, err := codec.Parser{Currency: a.Currency()}.Parse(&m)
	var rejection *schemas.Rejection
	if errors.As(err, &rejection) {
		c.Rejected++
		return rejection
	}
	c.Stored++
	return nil
}

// At most so many letters and bytes are sent together.
const (
	replayLetters = 500
	replayBytes   = 8 << 20
)

func (a *App) replayLetters(ctx context.Context, r *LetterReplay) (LetterCounts, error) {
	out := &letterSender{App: a, fixed: r.Fixed, producers: map[string]*kafka.Producer{}, logs: map[string]int32{}}
	defer out.close()
	logs, err := a.Store.Logs(ctx)
	if err != nil {
		return LetterCounts{}, err
	}
	for _, l := range logs { // the newest of a topic is the last
		out.logs[l.Topic] = l.Number
	}
	c, err := a.letters(ctx, r, func(l *audit.DeadLetter, c *LetterCounts) error {
		_ = a.judge(l, a.Now(), c) // it is sent all the same: ingest says why again
		return out.add(ctx, l)
	})
	return c, errors.Join(err, out.flush(ctx))
}

// letterSender sends letters to their topics, many at once.
type letterSender struct {
	*App
	fixed     bool
	producers map[string]*kafka.Producer
	// logs are the numbers of the logs that the topics are now.
	logs    map[string]int32
	waiting []*audit.DeadLetter
	bytes   int
}

func (s *letterSender) add(ctx context.Context, l *audit.DeadLetter) error {
	s.waiting, s.bytes = append(s.waiting, l), s.bytes+len(l.Value)
	if len(s.waiting) < replayLetters && s.bytes < replayBytes {
		return nil
	}
	return s.flush(ctx)
}

// flush sends what waits and writes it down.
func (s *letterSender) flush(ctx context.Context) error {
	if len(s.waiting) == 0 {
		return nil
	}
	replays, err := s.send(ctx, s.waiting)
	if err != nil {
		return err
	}
	s.waiting, s.bytes = s.waiting[:0], 0
	return s.Store.AddReplays(ctx, replays, s.Now().UTC().Truncate(time.Millisecond))
}

func (s *letterSender) send(ctx context.Context, letters []*audit.DeadLetter) ([]audit.Replay, error) {
	var replays []audit.Replay
	for begin := 0; begin < len(letters); {
		end := begin
		var messages []schemas.Message
		for ; end < len(letters) && letters[end].Topic == letters[begin].Topic; end++ {
			l := letters[end]
			messages = append(messages, schemas.Message{
				Position: schemas.Position{Topic: l.Topic}, Time: s.Now(), Key: l.Key, Value: l.Value, Headers: l.Headers,
			})
		}
		producer, err := s.producer(ctx, letters[begin].Topic)
		if err != nil {
			return nil, err
		}
		went, err := producer.Produce(ctx, messages)
		if err != nil {
			return nil, fmt.Errorf("replay from %s on: %w", letters[begin].Where(), err)
		}
		for i, as := range went {
			as.Log = s.logs[as.Topic]
			replays = append(replays, audit.Replay{Letter: letters[begin+i].Position, As: as, Fixed: s.fixed})
		}
		begin = end
	}
	return replays, nil
}

func (s *letterSender) producer(ctx context.Context, topic string) (*kafka.Producer, error) {
	if producer := s.producers[topic]; producer != nil {
		return producer, nil
	}
	producer, err := s.Kafka.NewProducer(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("connect to send to %s: %w", topic, err)
	}
	s.producers[topic] = producer
	return producer, nil
}

func (s *letterSender) close() {
	for _, producer := range s.producers {
		producer.Close()
	}
}
