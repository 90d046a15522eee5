package faults

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// L1, L2: topics are deleted and made again while ingest reads them. Nothing of the new
// ones is taken for what was to come in the old; nothing is sealed before an operator has
// said what they are, and then everything of both is there once.
func TestTopicsThatAreMadeAgainAreRefusedUntilTheyAreAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.ingest()
	w.sendUsage(2_000)
	w.caughtUp(time.Minute)
	for _, topic := range []string{lifecycleTopic, usageTopic} {
		w.deleteTopic(topic)
	}
	mustRun(t, w.env(), "migrate")
	w.sendUsage(3_000)
	p.Log.Await(t, "reckon log accept")
	refused := start(t, w.env(), "invoice", "--month", month)
	if code := refused.Wait(t, time.Minute); code != 1 || !strings.Contains(refused.Log.String(), "reckon log accept") {
		t.Errorf("a seal ended with %d: %s", code, &refused.Log)
	}
	if out := mustRun(t, w.env(), "log", "accept", "--reason", "made again"); !strings.Contains(out, usageTopic) {
		t.Errorf("accept said %q", out)
	}
	w.seal()
	p.Terminate(t)
	if got, want := w.number("SELECT uniqExact(identity) FROM reckon.events"), w.number("SELECT count() FROM reckon.events FINAL"); got != want {
		t.Errorf("%d events are stored in %d rows", got, want)
	}
	w.checkAccounts()
	w.checkInvoiced()
	if n := w.number("SELECT uniqExact(log) FROM reckon.events"); n != 2 {
		t.Errorf("events of %d logs are stored, want 2", n)
	}
	if !t.Failed() {
		figure(t, "topics deleted and made again under ingest: refused until accepted; 2,000 events of the old logs and 3,000 of the new, 0 lost, 0 counted twice")
	}
}

// deleteTopic deletes a topic and waits until it is gone.
func (w *world) deleteTopic(topic string) {
	w.t.Helper()
	kafkatest.NewAdmin(w.t, w.addrs[0]).DeleteTopic(w.t, topic)
	testkit.Eventually(w.t, time.Minute, topic+" is gone", func() bool {
		_, err := w.kafka.Ends(w.t.Context(), topic)
		return errors.Is(err, kafka.ErrNoTopic)
	})
}
