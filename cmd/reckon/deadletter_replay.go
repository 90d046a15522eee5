package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

func (a *cli) deadLetterReplayCommand() *cobra.Command {
	r := letterReplay{cli: a}
	var fix string
	cmd := &cobra.Command{
		Use:   "replay [TOPIC/PARTITION/OFFSET]",
		Short: "Produce dead letters again to the topic that they came from",
		Long: `replay produces the chosen dead letters again: key, headers and value as they were, the
Kafka timestamp is now. They go the normal way, so that events of sealed months are
settled by adjustments. --fix replaces the value of one letter.

Without --yes it only says what it would do, and whether each letter would be stored
now. A letter is replayed once: one that was, and one that is itself a replay and was
rejected again, is left out unless --again says otherwise.`,
		Example: `  reckon deadletter replay --reason unknown_type
  reckon deadletter replay --reason unknown_type --yes
  reckon deadletter show billing.usage/3/17 --raw | sed s/valeu/value/ | reckon deadletter replay billing.usage/3/17 --fix - --yes`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.choice.read(args); err != nil {
				return err
			}
			if fix != "" {
				if r.choice.filter.At == nil {
					return usagef("--fix replaces the value of one letter: name it as TOPIC/PARTITION/OFFSET")
				}
				if err := r.readFix(fix); err != nil {
					return err
				}
			}
			return a.onStore(cmd.Context(), r.run)
		},
	}
	r.choice.flags(cmd)
	cmd.Flags().StringVar(&fix, "fix", "", "file with the value to send instead of the letter's, - for stdin")
	cmd.Flags().BoolVar(&r.yes, "yes", false, "do it")
	cmd.Flags().BoolVar(&r.again, "again", false, "also what was replayed before")
	return cmd
}

// letterReplay is one run of the command.
type letterReplay struct {
	*cli
	choice     letterChoice
	fixed      bool
	fix        []byte
	yes, again bool

	// chosen counts the letters, skipped those replayed before, stored and rejected
	// what would become of the others.
	chosen, skipped, stored, rejected int
}

// maxFixBytes is a little more than any topic takes: what is larger is refused
// there.
const maxFixBytes = 8 << 20

func (r *letterReplay) readFix(name string) error {
	in := r.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return usagef("--fix: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	value, err := io.ReadAll(io.LimitReader(in, maxFixBytes+1))
	if err != nil {
		return usagef("--fix %s: %w", name, err)
	}
	if len(value) > maxFixBytes {
		return usagef("--fix %s: it has more than %d bytes", name, maxFixBytes)
	}
	r.fix, r.fixed = value, true
	return nil
}

func (r *letterReplay) run(ctx context.Context, s *system) error {
	if !r.yes {
		return r.preview(ctx, s)
	}
	// On an embedded stack that was started for this, nobody else ingests.
	return s.WithIngest(ctx, func(ctx context.Context) error {
		if err := r.replay(ctx, s); err != nil {
			return err
		}
		if !s.Started() || r.chosen == r.skipped {
			return nil
		}
		v, err := s.Sealer(nil)
		if err != nil {
			return err
		}
		_, err = v.NoteCutoff(ctx)
		return err
	})
}

// each hands out the letters to be replayed.
func (r *letterReplay) each(ctx context.Context, s *system, send func(*clickhouse.DeadLetter) error) error {
	err := s.Store.DeadLetters(ctx, r.choice.filter, true, func(l *clickhouse.DeadLetter) error {
		r.chosen++
		if !r.again && (l.Replays > 0 || l.ReplayOf != nil) {
			r.skipped++
			return nil
		}
		if r.fixed {
			l.Value = r.fix
		}
		return send(l)
	})
	if err == nil && r.chosen == 0 && r.choice.filter.At != nil {
		return fmt.Errorf("there is no dead letter at %s", place(*r.choice.filter.At))
	}
	return err
}

// judge tells what would become of a letter at the given time.
func (r *letterReplay) judge(s *system, l *clickhouse.DeadLetter, now time.Time) string {
	m := l.Message
	m.Time = now
	_, err := codec.Parser{Currency: s.Currency()}.Parse(&m)
	var rejection *schemas.Rejection
	if errors.As(err, &rejection) {
		r.rejected++
		return "would be rejected again: " + rejection.Error()
	}
	r.stored++
	return "would be stored"
}

func (r *letterReplay) preview(ctx context.Context, s *system) error {
	now := s.Now()
	err := r.each(ctx, s, func(l *clickhouse.DeadLetter) error {
		r.printf("%s  %s\n", place(l.Position), report.SafeLine(r.judge(s, l, now)))
		return nil
	})
	if err != nil {
		return err
	}
	r.printf("%d would be replayed: %d stored, %d rejected again\n", r.chosen-r.skipped, r.stored, r.rejected)
	r.saySkipped()
	if r.chosen > r.skipped {
		r.printf("nothing was done: add --yes to do it\n")
	}
	return nil
}

func (r *letterReplay) saySkipped() {
	if r.skipped > 0 {
		r.printf("%d left out, which were replayed before (--again takes them too)\n", r.skipped)
	}
}

// At most so many letters and bytes are sent together.
const (
	replayLetters = 500
	replayBytes   = 8 << 20
)

// replay produces the letters and writes down that it did, in this order: a
// crash in between sends some a second time, which are duplicates then.
func (r *letterReplay) replay(ctx context.Context, s *system) error {
	producers := &letterProducers{system: s, of: map[string]*kafka.Producer{}}
	defer producers.close()
	var waiting []*clickhouse.DeadLetter
	bytes := 0
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		replays, err := r.send(ctx, s, producers, waiting)
		if err != nil {
			return err
		}
		waiting, bytes = waiting[:0], 0
		return s.Store.AddReplays(ctx, replays, s.Now().UTC().Truncate(time.Millisecond))
	}
	err := r.each(ctx, s, func(l *clickhouse.DeadLetter) error {
		r.judge(s, l, s.Now())
		waiting, bytes = append(waiting, l), bytes+len(l.Value)
		if len(waiting) < replayLetters && bytes < replayBytes {
			return nil
		}
		return flush()
	})
	if err := errors.Join(err, flush()); err != nil {
		return err
	}
	r.printf("%d replayed: %d to be stored, %d to be rejected again\n", r.chosen-r.skipped, r.stored, r.rejected)
	r.saySkipped()
	return nil
}

func (r *letterReplay) send(
	ctx context.Context, s *system, producers *letterProducers, letters []*clickhouse.DeadLetter,
) ([]clickhouse.Replay, error) {
	var replays []clickhouse.Replay
	for begin := 0; begin < len(letters); {
		end := begin
		var messages []schemas.Message
		for ; end < len(letters) && letters[end].Topic == letters[begin].Topic; end++ {
			l := letters[end]
			messages = append(messages, schemas.Message{
				Position: schemas.Position{Topic: l.Topic}, Time: s.Now(), Key: l.Key, Value: l.Value, Headers: l.Headers,
			})
		}
		producer, err := producers.to(ctx, letters[begin].Topic)
		if err != nil {
			return nil, err
		}
		went, err := producer.Produce(ctx, messages)
		if err != nil {
			return nil, fmt.Errorf("replay from %s on: %w", place(letters[begin].Position), err)
		}
		for i, as := range went {
			replays = append(replays, clickhouse.Replay{Letter: letters[begin+i].Position, As: as, Fixed: r.fixed})
		}
		begin = end
	}
	return replays, nil
}

// letterProducers are the producers of the topics that letters came from.
type letterProducers struct {
	*system
	of map[string]*kafka.Producer
}

func (p *letterProducers) to(ctx context.Context, topic string) (*kafka.Producer, error) {
	if producer := p.of[topic]; producer != nil {
		return producer, nil
	}
	producer, err := p.Kafka.NewProducer(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("connect to send to %s: %w", topic, err)
	}
	p.of[topic] = producer
	return producer, nil
}

func (p *letterProducers) close() {
	for _, producer := range p.of {
		producer.Close()
	}
}
