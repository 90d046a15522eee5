package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// verdict is what a message is.
type verdict struct {
	identity schemas.Hash
	// why is nil for an event.
	why *schemas.Rejection
}

func (v *verdict) rejected() bool { return v.why != nil }

func (v *verdict) reason() string {
	if v.why == nil {
		return ""
	}
	return v.why.Reason
}

// compare compares a message with the rows at its position.
func (c *messageCheck) compare(ctx context.Context, m *schemas.Message) error {
	v, text, err := c.judge(m)
	if err != nil {
		return err
	}
	found := -1
	for i := range c.group {
		same, err := c.same(ctx, m, &v, text, &c.group[i])
		if err != nil {
			return err
		}
		if same {
			found = i
			break
		}
	}
	for i, row := range c.group {
		if i == found {
			continue
		}
		if err := c.other(ctx, &row, found >= 0); err != nil {
			return err
		}
	}
	if found >= 0 {
		return nil
	}
	return c.miss(m, &v, text, "by Kafka's bytes")
}

// judge says what a message is, and how its row must be; the text is valid until the
// mirror is asked again.
func (c *messageCheck) judge(m *schemas.Message) (v verdict, text []byte, err error) {
	e, err := c.parse(m)
	switch {
	case err == nil:
		v.identity = schemas.Identity(e.Source, e.ID)
		text, err = c.mirror.Event(&e, m)
	case errors.As(err, &v.why):
		text, err = c.mirror.Letter(m, v.why)
	}
	if err != nil {
		return v, nil, fmt.Errorf("say how %s must be stored: %w", m.Where(), err)
	}
	return v, text, nil
}

// same tells whether a row is as the message says, by the rules of this version or,
// where those have changed, of an older one.
func (c *messageCheck) same(ctx context.Context, m *schemas.Message, v *verdict, text []byte, row *StoredMessage) (bool, error) {
	if row.Rejected == v.rejected() && row.Digest == sha256.Sum256(text) {
		return true, nil
	}
	if !codec.ChangedVerdict(row.Why.Reason, v.reason()) {
		return false, nil
	}
	same, err := c.sameByThen(ctx, m, row)
	if same {
		c.Messages.Former++
	}
	return same, err
}

// sameByThen tells whether a row is the message's but for the verdict.
func (c *messageCheck) sameByThen(ctx context.Context, m *schemas.Message, row *StoredMessage) (bool, error) {
	if row.Rejected {
		text, err := c.mirror.Letter(m, &row.Why)
		return err == nil && row.Digest == sha256.Sum256(text), err
	}
	stored, err := c.columnsOf(ctx, row)
	if err != nil || stored == nil {
		return false, err
	}
	text, err := c.mirror.Event(&schemas.Event{}, m)
	if err != nil {
		return false, err
	}
	bare, err := c.mirror.Columns(string(text), false)
	for i := range bare {
		switch bare[i].Name {
		case "log", "topic", "partition", "offset", "kafka_ms", "raw", "header_keys", "header_values":
			if bare[i] != stored[i] {
				return false, nil
			}
		}
	}
	return true, err
}

// columnsOf are the columns of a row, nil where it has changed since.
func (c *messageCheck) columnsOf(ctx context.Context, row *StoredMessage) ([]Value, error) {
	texts, err := c.Stored.MessageRows(ctx, row.Position, row.Rejected)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		if sha256.Sum256([]byte(text)) == row.Digest {
			return c.mirror.Columns(text, row.Rejected)
		}
	}
	return nil, nil
}

// miss notes a message of which no row is as it must be.
func (c *messageCheck) miss(m *schemas.Message, v *verdict, text []byte, asSays string) error {
	want, err := c.mirror.Columns(string(text), v.rejected())
	if err != nil {
		return err
	}
	bare := schemas.Message{Position: m.Position, Time: m.Time}
	lost := &lostRow{what: "event " + m.Where(), asSays: asSays, want: want}
	if v.rejected() {
		lost.what = "dead letter " + m.Where()
	}
	lost.elsewhere = func(ctx context.Context) ([][]Value, error) {
		texts, err := c.Stored.StrayedRows(ctx, c.Run.Cutoff, &bare, v.identity, v.rejected())
		if err != nil {
			return nil, err
		}
		all := make([][]Value, len(texts))
		for i, text := range texts {
			if all[i], err = c.mirror.Columns(text, v.rejected()); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	lost.gone = func() error { return c.gone(bare.Position, v, asSays) }
	return c.lose(lost)
}

// gone tells of a message that is not stored, or as what it is not.
func (c *messageCheck) gone(at schemas.Position, v *verdict, asSays string) error {
	other := c.others[place{at, !v.rejected()}]
	if other == nil || other.told {
		return c.differ("%s lies in Kafka before the cutoff, but is not stored", at.Where())
	}
	other.told = true
	if v.rejected() {
		return c.differ("%s is stored as an event, but %s it is none: %s", at.Where(), asSays, v.why.Error())
	}
	return c.differ("%s is stored as a dead letter, but %s it is an event", at.Where(), asSays)
}

// place is where a row stands: among the events or among the dead letters.
type place struct {
	schemas.Position
	rejected bool
}

// other notes a row that is as no message says; twice that the message there is stored
// as it must be, too.
func (c *messageCheck) other(ctx context.Context, row *StoredMessage, twice bool) error {
	values, err := c.columnsOf(ctx, row)
	if err != nil {
		return err
	}
	at, rejected := row.Position, row.Rejected
	stray := &strayRow{values: values, tell: func() error {
		switch {
		case !twice:
			return c.differ("%s is stored, but Kafka has no such message", at.Where())
		case rejected:
			return c.differ("%s is stored as an event and as a dead letter", at.Where())
		}
		return c.differ("%s is stored twice as an event", at.Where())
	}}
	c.others[place{at, rejected}] = stray
	return c.astray(stray)
}
