package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

func (a *cli) deadLetterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletter",
		Short: "List, show and replay the messages that ingest rejected",
		Long: `deadletter works on the dead letters: messages that are no valid events, each kept with
its bytes untouched and the reason. After the producer has been mended, or the letter
itself, replay sends it the normal way again, and late-event rules settle it.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.deadLetterListCommand(), a.deadLetterShowCommand(), a.deadLetterReplayCommand())
	return cmd
}

// letterChoice is the flags that choose dead letters.
type letterChoice struct {
	filter   audit.DeadLetterFilter
	from, to string
}

func (c *letterChoice) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.filter.Reason, "reason", "", "only of this reason, as unknown_field")
	cmd.Flags().StringVar(&c.filter.Producer, "producer", "", "only of this source (or key, where no source can be read)")
	cmd.Flags().StringVar(&c.filter.Topic, "topic", "", "only of this topic")
	cmd.Flags().StringVar(&c.from, "from", "", "only with a Kafka timestamp from this time on, RFC 3339")
	cmd.Flags().StringVar(&c.to, "to", "", "only with a Kafka timestamp before this time, RFC 3339")
}

// read checks the flags, and takes the address of one letter where it is given.
func (c *letterChoice) read(args []string) error {
	for _, f := range []struct {
		name, text string
		at         *time.Time
	}{{"--from", c.from, &c.filter.From}, {"--to", c.to, &c.filter.To}} {
		if f.text == "" {
			continue
		}
		var err error
		if *f.at, err = codec.ParseTime(f.text); err != nil {
			return usagef("%s: %w", f.name, err)
		}
	}
	if r := c.filter.Reason; r != "" && !knownReason(r) {
		return usagef("--reason %q: there is no such reason", r)
	}
	if len(args) == 0 {
		return nil
	}
	at, err := letterAddress(args[0])
	if err != nil {
		return err
	}
	if c.filter != (audit.DeadLetterFilter{}) {
		return usagef("%s names one letter: it goes with no other choice", args[0])
	}
	c.filter.At = &at
	return nil
}

func knownReason(reason string) bool {
	return reasonSentence(reason) != ""
}

func reasonSentence(reason string) string {
	for _, r := range codec.Reasons() {
		if r.Reason == reason {
			return r.Sentence
		}
	}
	return ""
}

// letterAddress reads TOPIC/PARTITION/OFFSET.
func letterAddress(text string) (schemas.Position, error) {
	wrong := usagef("%q is not where a dead letter lies: write TOPIC/PARTITION/OFFSET, as in billing.usage/3/17, with @LOG behind it for another log than the first", text)
	place, log, logged := strings.Cut(text, "@")
	parts := strings.Split(place, "/")
	if len(parts) != 3 || parts[0] == "" {
		return schemas.Position{}, wrong
	}
	partition, err := strconv.ParseUint(parts[1], 10, 31)
	if err != nil {
		return schemas.Position{}, wrong
	}
	offset, err := strconv.ParseUint(parts[2], 10, 63)
	if err != nil {
		return schemas.Position{}, wrong
	}
	at := schemas.Position{Topic: parts[0], Partition: int32(partition), Offset: int64(offset)} // of 31 and 63 bits
	if !logged {
		return at, nil
	}
	number, err := strconv.ParseUint(log, 10, 31)
	if err != nil || number == 0 {
		return at, wrong
	}
	if number > 1 { // the first is 0
		at.Log = int32(number) // of 31 bits
	}
	return at, nil
}

func (a *cli) deadLetterListCommand() *cobra.Command {
	var choice letterChoice
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, with a summary by reason",
		Long: `list prints the chosen dead letters and what was done about each. The table ends with
a summary by reason; with csv and json the summary goes to stderr.`,
		Example: "  reckon deadletter list --reason unknown_field\n  reckon deadletter list --producer /servers --from 2026-10-01T00:00:00+07:00 --format csv",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := formatFlag(format)
			if err != nil {
				return err
			}
			if err := choice.read(nil); err != nil {
				return err
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *app.App) error {
				return a.listDeadLetters(ctx, s, choice.filter, f)
			})
		},
	}
	choice.flags(cmd)
	cmd.Flags().StringVar(&format, "format", string(report.Table), "table, csv or json")
	return cmd
}

func (a *cli) listDeadLetters(ctx context.Context, s *app.App, filter audit.DeadLetterFilter, format report.Format) error {
	out := report.NewList(a.stdout, format, "topic", "partition", "offset", "kafka_time", "producer", "bytes", "reason", "detail", "state")
	err := s.Store.DeadLetters(ctx, filter, false, func(l *audit.DeadLetter) error {
		return out.Write(l.Topic, l.Partition, l.Offset, audit.Stamp(l.Time, s.Config.Billing.Location), l.Producer, l.Bytes, l.Reason, l.Detail, letterState(l, s.Config.Billing.Location))
	})
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	reasons, err := s.Store.DeadLetterReasons(ctx, filter)
	if err != nil {
		return err
	}
	say := a.tell
	if format == report.Table {
		say = a.printf
	}
	var total audit.ReasonCount
	for _, r := range reasons {
		say("%8d  %s (%d replayed, %d rejected again)\n", r.Letters, r.Reason, r.Replayed, r.Again)
		total.Letters += r.Letters
	}
	say("%8d  in all\n", total.Letters)
	return nil
}

// letterState says what was done about a letter.
func letterState(l *audit.DeadLetter, zone *time.Location) string {
	var said []string
	if l.ReplayOf != nil {
		said = append(said, "replay of "+l.ReplayOf.Where()+", rejected again")
	}
	if l.Replays > 0 {
		how := "replayed"
		if l.Fixed {
			how = "replayed with a fix"
		}
		if l.Replays > 1 {
			how = fmt.Sprintf("%s (%d times)", how, l.Replays)
		}
		said = append(said, how+" "+audit.Stamp(l.ReplayedAt, zone)+" as "+l.ReplayedAs.Where())
	}
	return strings.Join(said, "; ")
}
