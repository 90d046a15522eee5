package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/reckon-billing/reckon/internal/kafka"
)

// topic is one that reckon needs.
type topic struct {
	setting, name string
	// maxBytes is the largest message that it must take.
	maxBytes int
}

// deadLetterSetting names the topic that ingest can do without for a while.
const deadLetterSetting = "kafka.topics.dead_letter"

// topics are all that reckon needs.
func (a *App) topics() []topic {
	t := a.Config.Kafka.Topics
	return []topic{
		{"kafka.topics.lifecycle", t.Lifecycle, kafka.EventTopicBytes},
		{"kafka.topics.usage", t.Usage, kafka.EventTopicBytes},
		{deadLetterSetting, t.DeadLetter, kafka.DeadLetterTopicBytes},
	}
}

// Prepare makes tables and topics where they are missing; on the embedded stack
// that was done when it was connected.
func (a *App) Prepare(ctx context.Context) error {
	if !a.Config.ClickHouse.UsesEmbedded() {
		if _, err := a.Store.Migrate(ctx, a.Now()); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	if !a.Config.Kafka.UsesEmbedded() {
		return a.ensureTopics(ctx)
	}
	return nil
}

// ensureTopics makes the topics where they are missing and says what of those
// that are there could lose events.
func (a *App) ensureTopics(ctx context.Context) error {
	var specs []kafka.TopicSpec
	for _, t := range a.topics() {
		specs = append(specs, kafka.TopicSpec{
			Name: t.name, Partitions: a.Config.Kafka.Partitions, ReplicationFactor: a.Config.Kafka.ReplicationFactor, MaxMessageBytes: t.maxBytes,
		})
	}
	warnings, err := a.Kafka.EnsureTopics(ctx, specs...)
	if err != nil {
		return fmt.Errorf("make the topics: %w", err)
	}
	a.warn(warnings)
	return nil
}

// Check is the guard at start-up: it refuses servers whose settings would lose or
// double events, and topics that are not there.
func (a *App) Check(ctx context.Context) error {
	var errs []error
	if err := a.Store.Check(ctx); err != nil {
		errs = append(errs, fmt.Errorf("check the store: %w", err))
	}
	for _, t := range a.topics() {
		warnings, err := a.Kafka.CheckTopics(ctx, t.name)
		switch {
		case errors.Is(err, kafka.ErrNoTopic) && t.setting == deadLetterSetting:
			// Its copies are owed until it is there.
			a.Log.Warn("the topic of dead letters is missing: run reckon migrate", "topic", t.name)
		case errors.Is(err, kafka.ErrNoTopic):
			errs = append(errs, fmt.Errorf("%s: %w: run reckon migrate", t.setting, err))
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", t.setting, err))
		}
		a.warn(warnings)
	}
	return errors.Join(errs...)
}

// warn tells operations, who alone can change a topic's settings.
func (a *App) warn(warnings []string) {
	for _, w := range warnings {
		a.Log.Warn("a topic may lose events", "warning", w)
	}
}
