package main

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/report"
)

func (a *cli) deadLetterShowCommand() *cobra.Command {
	var raw bool
	var format string
	cmd := &cobra.Command{
		Use:   "show TOPIC/PARTITION/OFFSET",
		Short: "Show one dead letter whole",
		Long: `show prints a dead letter with its key, headers, reason and value. What is no printable
text is escaped; --raw writes the value to stdout, byte for byte, and nothing else.`,
		Example: "  reckon deadletter show billing.usage/3/17\n  reckon deadletter show billing.usage/3/17 --raw > letter.json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usagef("--format %q: choose text or json", format)
			}
			at, err := letterAddress(args[0])
			if err != nil {
				return err
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *app.App) error {
				found := false
				err := s.Store.DeadLetters(ctx, audit.DeadLetterFilter{At: &at}, true, func(l *audit.DeadLetter) error {
					found = true
					switch {
					case raw:
						_, err := a.stdout.Write(l.Value)
						return err
					case format == "json":
						return a.showLetterJSON(s, l)
					}
					a.showLetter(s, l)
					return nil
				})
				if err == nil && !found {
					return fmt.Errorf("there is no dead letter at %s", args[0])
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "write the exact bytes of the value to stdout")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func (a *cli) showLetter(s *app.App, l *audit.DeadLetter) {
	a.printf("%s\n", l.Where())
	field := func(name, value string) {
		if value != "" {
			a.printf("  %-9s %s\n", name, value)
		}
	}
	field("time", audit.Stamp(l.Time, s.Config.Billing.Location))
	field("producer", report.SafeLine(l.Producer))
	field("key", report.SafeLine(string(l.Key)))
	for _, h := range l.Headers {
		field("header", report.SafeLine(h.Key)+": "+report.SafeLine(string(h.Value)))
	}
	field("reason", l.Reason+": "+reasonSentence(l.Reason))
	field("detail", report.SafeLine(l.Detail))
	field("state", letterState(l, s.Config.Billing.Location))
	field("value", fmt.Sprintf("%d bytes", len(l.Value)))
	a.printf("%s\n", report.Safe(l.Value))
}

// letterBytes are bytes in JSON: as base64 and, where they are text, as it.
type letterBytes struct {
	Base64 []byte  `json:"base64"`
	Text   *string `json:"text,omitempty"`
}

func bytesJSON(b []byte) letterBytes {
	out := letterBytes{Base64: b}
	if utf8.Valid(b) {
		text := string(b)
		out.Text = &text
	}
	return out
}

func (a *cli) showLetterJSON(s *app.App, l *audit.DeadLetter) error {
	type header struct {
		Key   letterBytes `json:"key"`
		Value letterBytes `json:"value"`
	}
	headers := make([]header, len(l.Headers))
	for i, h := range l.Headers {
		headers[i] = header{bytesJSON([]byte(h.Key)), bytesJSON(h.Value)}
	}
	out := json.NewEncoder(a.stdout)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		Topic     string      `json:"topic"`
		Partition int32       `json:"partition"`
		Offset    int64       `json:"offset"`
		KafkaTime string      `json:"kafka_time,omitempty"`
		Producer  string      `json:"producer"`
		Reason    string      `json:"reason"`
		Detail    string      `json:"detail"`
		State     string      `json:"state,omitempty"`
		Key       letterBytes `json:"key"`
		Headers   []header    `json:"headers"`
		Value     letterBytes `json:"value"`
	}{
		l.Topic, l.Partition, l.Offset, audit.Stamp(l.Time, s.Config.Billing.Location), l.Producer, l.Reason, l.Detail, letterState(l, s.Config.Billing.Location),
		bytesJSON(l.Key), headers, bytesJSON(l.Value),
	})
}
