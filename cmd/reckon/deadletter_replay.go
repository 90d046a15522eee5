package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/schemas"
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
				if err := r.readFix(cmd.Context(), fix); err != nil {
					return err
				}
			}
			return a.onStore(cmd.Context(), r.run)
		},
	}
	r.choice.flags(cmd)
	cmd.Flags().StringVar(&fix, "fix", "", "file with the value to send instead of the letter's, - for stdin")
	cmd.Flags().BoolVar(&r.yes, "yes", false, "do it")
	cmd.Flags().BoolVar(&r.Again, "again", false, "also what was replayed before")
	return cmd
}

// letterReplay is one run of the command.
type letterReplay struct {
	*cli
	app.LetterReplay
	choice letterChoice
	yes    bool
}

// maxFixBytes is a little more than any topic takes: what is larger is refused
// there.
const maxFixBytes = 8 << 20

func (r *letterReplay) readFix(ctx context.Context, name string) error {
	value, err := until(ctx, func() ([]byte, error) {
		in := r.stdin
		if name != "-" {
			f, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer func() { _ = f.Close() }() // only read
			in = f
		}
		return io.ReadAll(io.LimitReader(in, maxFixBytes+1))
	})
	if err != nil {
		return usagef("--fix %s: %w", name, err)
	}
	if len(value) > maxFixBytes {
		return usagef("--fix %s: it has more than %d bytes", name, maxFixBytes)
	}
	r.Fix, r.Fixed = value, true
	return nil
}

func (r *letterReplay) run(ctx context.Context, s *app.App) error {
	r.Filter = r.choice.filter
	if !r.yes {
		return r.preview(ctx, s)
	}
	return s.ReplayLetters(ctx, &r.LetterReplay, func(c app.LetterCounts) {
		r.printf("%d replayed: %d to be stored, %d to be rejected again\n", c.Left(), c.Stored, c.Rejected)
		r.saySkipped(c)
	})
}

func (r *letterReplay) preview(ctx context.Context, s *app.App) error {
	c, err := s.PreviewLetters(ctx, &r.LetterReplay, func(l *audit.DeadLetter, why *schemas.Rejection) {
		verdict := "would be stored"
		if why != nil {
			verdict = "would be rejected again: " + why.Error()
		}
		r.printf("%s  %s\n", l.Where(), report.SafeLine(verdict))
	})
	if err != nil {
		return err
	}
	r.printf("%d would be replayed: %d stored, %d rejected again\n", c.Left(), c.Stored, c.Rejected)
	r.saySkipped(c)
	if c.Left() > 0 {
		r.printf("nothing was done: add --yes to do it\n")
	}
	return nil
}

func (r *letterReplay) saySkipped(c app.LetterCounts) {
	if c.Skipped > 0 {
		r.printf("%d left out, which were replayed before (--again takes them too)\n", c.Skipped)
	}
	if c.Heads > 0 {
		r.printf("%d left out, of which only the head is here: the messages were too large (--fix says what they should have been)\n", c.Heads)
	}
}
