package app

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
)

// O6: with the topic of dead letters gone, rejects and their neighbours are stored all
// the same, also by an ingest that starts then. The copies are owed, which is said
// once; made again, the topic gets them.
func TestIngestGoesOnWithoutTheTopicOfDeadLetters(t *testing.T) {
	servers := embeddedtest.Start(t).Endpoints()
	o := options(t, filepath.Join(t.TempDir(), "none"))
	c := &o.Config.ClickHouse
	c.Addresses, c.Username, c.Password = []string{servers.Native}, servers.User, config.Secret(servers.Password)
	o.Config.Kafka.Brokers = []string{servers.Kafka}
	a := connected(t, o)
	if err := a.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	letters := o.Config.Kafka.Topics.DeadLetter
	then := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	var log testkit.Output
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	l := running(t, Ingest, o)
	waitReady(t, l.Metrics)
	send(t, a, "no event 1")
	testkit.Eventually(t, time.Minute, "a copy is in the topic", func() bool { return lengthOf(t, a, letters) == 1 })

	deleteTopic(t, a, letters)
	send(t, a, "no event 2", usageAt(1, then), "no event 3", usageAt(2, then))
	stored := func(ingested, rejected int64) {
		t.Helper()
		testkit.Eventually(t, time.Minute, "all is stored", func() bool {
			c, err := a.Store.Counts(t.Context())
			return err == nil && c.Stored == ingested && c.Rejected == rejected
		})
	}
	stored(2, 3)
	testkit.Eventually(t, time.Minute, "two copies are owed", func() bool {
		return strings.Contains(metrics(t, l.Metrics), "\nreckon_ingest_owed_copies 2\n")
	})
	// One that starts while the topic is not there.
	var other testkit.Output
	o.Log = slog.New(slog.NewTextHandler(&other, nil))
	waitReady(t, running(t, Ingest, o).Metrics)
	other.Await(t, "topic of dead letters is missing.*"+letters)
	send(t, a, "no event 4", usageAt(3, then))
	stored(3, 4)
	if n := strings.Count(log.String(), "are not copied"); n != 1 || strings.Contains(log.String()+other.String(), "level=ERROR") {
		t.Errorf("that there are no copies was said %d times:\n%s\n%s", n, log.String(), other.String())
	}

	if err := a.ensureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, "the copies are made up", func() bool {
		return lengthOf(t, a, letters) >= 3 && strings.Contains(metrics(t, l.Metrics), "\nreckon_ingest_owed_copies 0\n")
	})
	log.Await(t, "are made up")
	send(t, a, "no event 5")
	before := lengthOf(t, a, letters)
	testkit.Eventually(t, time.Minute, "copies come at once again", func() bool { return lengthOf(t, a, letters) > before })
	if s := status(t, l.Metrics); !s.Ready {
		t.Errorf("not ready: %+v", s)
	}
	if got := metrics(t, l.Metrics); !strings.Contains(got, `reckon_supervisor_restarts_total{stage="ingest"} 0`) {
		t.Errorf("ingest has stopped in between:\n%s", got)
	}
}

// usageAt is an event of usage.
func usageAt(n int, at time.Time) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"test","type":"usage.recorded","subject":"r","time":%q,`+
		`"data":{"account_id":"a","item":"i","value":1}}`, n, at.Format(time.RFC3339))
}

// send produces values to the topic of usage, all of one key.
func send(t *testing.T, a *App, values ...string) {
	t.Helper()
	topic := a.Config.Kafka.Topics.Usage
	out, err := a.Kafka.NewProducer(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var messages []schemas.Message
	for _, value := range values {
		messages = append(messages, schemas.Message{
			Position: schemas.Position{Topic: topic}, Time: time.Now(), Key: []byte("a"), Value: []byte(value),
		})
	}
	if _, err := out.Produce(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

// lengthOf is how many messages a topic has ever had.
func lengthOf(t *testing.T, a *App, topic string) (messages int64) {
	t.Helper()
	ends, err := a.Kafka.Ends(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range ends {
		messages += e.End
	}
	return messages
}

func deleteTopic(t *testing.T, a *App, topic string) {
	t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(a.brokers()...), Timeout: 10 * time.Second}
	res, err := client.DeleteTopics(t.Context(), &kafkago.DeleteTopicsRequest{Topics: []string{topic}})
	if err == nil {
		err = res.Errors[topic]
	}
	if err != nil {
		t.Fatal(err)
	}
}
