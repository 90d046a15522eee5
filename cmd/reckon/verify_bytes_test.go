package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
)

// metered is a resource that is billed by what it sent out, and one value of that.
func metered() []string {
	return []string{
		created("c", "srv", "2026-11-01T00:00:00+07:00", `{"item":"out","unit":"GB","unit_price":"100","meter":"sum","per":"use"}`, ""),
		used("u", "srv", "2026-11-02T00:00:00+07:00", "out", "1"),
	}
}

// T2: a value that is changed in the store before the seal is billed as it was changed:
// verify has Kafka's bytes, and without them the stored ones.
func TestVerifyFindsAValueThatWasChangedBeforeTheSeal(t *testing.T) {
	w := startTown(t, newYear(), november())
	w.play(t, metered()...)
	at := w.text(t, "SELECT concat(topic, '/', toString(partition), '/', toString(offset)) FROM events WHERE id = 'u'")
	w.keep(t, "events")
	w.exec(t, "TRUNCATE TABLE events")
	w.exec(t, "INSERT INTO events SELECT * REPLACE (if(id = 'u', 1000, value) AS value) FROM events_kept")
	w.play(t, `{"seal":"2026-11"}`)
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "event " + at + `: value is stored as "1000", by Kafka's bytes "1"`},
		{[]string{"--skip-log"}, "event " + at + `: value is stored as "1000", by its own bytes "1"`},
	} {
		got := w.command(t, "", append([]string{"verify", "--month", "2026-11"}, test.args...)...)
		if got.code != 1 || got.stdout != test.want+"\n" {
			t.Errorf("%v: ended with %d, and says\n%swant\n%s", test.args, got.code, got.stdout, test.want)
		}
	}
	// What Kafka has deleted is still compared with its own bytes.
	var topic string
	var partition int32
	var offset int64
	if _, err := fmt.Sscan(strings.ReplaceAll(at, "/", " "), &topic, &partition, &offset); err != nil {
		t.Fatal(err)
	}
	kafkatest.NewAdmin(t, w.Endpoints().Kafka).DeleteBefore(t, topic, partition, offset+1)
	if got := w.differences(t, true); got != "event "+at+`: value is stored as "1000", by its own bytes "1"`+"\n" {
		t.Errorf("with the message deleted in Kafka: %s", got)
	}
	w.restore(t, "events")
}

// T2: what Kafka has deleted is said, and no difference.
func TestVerifySaysWhatKafkaHasDeleted(t *testing.T) {
	w := startTown(t, newYear(), november())
	w.play(t, append(metered(), "no event", `{"seal":"2026-11"}`)...)
	var topic string
	var partition int32
	at := w.text(t, "SELECT concat(topic, ' ', toString(partition)) FROM dead_letters")
	if _, err := fmt.Sscan(at, &topic, &partition); err != nil {
		t.Fatal(err)
	}
	kafkatest.NewAdmin(t, w.Endpoints().Kafka).DeleteBefore(t, topic, partition, 1)
	got := w.command(t, "", "verify", "--month", "2026-11")
	if got.code != 0 || !strings.Contains(got.stdout, "3 messages in 16 partitions = 2 copies + 1 dead letters\n") ||
		!strings.Contains(got.stdout, "1 of them Kafka has deleted since: they were compared with their own bytes, as they are stored") {
		t.Errorf("ended with %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	w.changed(t, "dead_letters", func(table, kept string) {
		w.exec(t, "TRUNCATE TABLE %s", table)
		w.exec(t, "INSERT INTO %s SELECT * REPLACE ('not_jso' AS reason) FROM %s", table, kept)
	}, func() {
		if got := w.differences(t, true); !strings.Contains(got, `reason is stored as "not_jso", by its own bytes "not_json"`) {
			t.Error(got)
		}
	})
}

// T2: what conflicts follows from the contents of copies, which their bytes give; a
// message that is stored as what it is not is found.
func TestVerifyFindsConflictsAndVerdictsThatWereChanged(t *testing.T) {
	w := startTown(t, newYear(), november())
	w.play(t, append(metered(), used("u", "srv", "2026-11-02T00:00:00+07:00", "out", "2"), "no event", `{"seal":"2026-11"}`)...)
	for _, test := range []struct {
		name, table, change string
		want                []string
	}{
		{
			"a conflict made a duplicate", "events",
			"SELECT * REPLACE (if(id = 'u', (SELECT min(content) FROM events_kept WHERE id = 'u'), content) AS content) FROM events_kept",
			[]string{": content is stored as "},
		},
		{
			"an event among the dead letters", "dead_letters",
			"SELECT * FROM dead_letters_kept UNION ALL SELECT log, topic, partition, offset, kafka_ms, '', raw, header_keys, header_values, 'not_json', '', ingested_at FROM events WHERE id = 'c'",
			[]string{" is stored as an event and as a dead letter"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.changed(t, test.table, func(table, _ string) {
				w.exec(t, "TRUNCATE TABLE %s", table)
				w.exec(t, "INSERT INTO %s %s", table, test.change)
			}, func() {
				found := w.differences(t, true)
				for _, want := range test.want {
					if !strings.Contains(found, want) {
						t.Errorf("verify does not say %q:\n%s", want, found)
					}
				}
			})
		})
	}
	t.Run("an event that was made a dead letter", func(t *testing.T) {
		letter := "INSERT INTO dead_letters (topic, partition, offset, kafka_ms, value, header_keys, header_values, reason) " +
			"SELECT topic, partition, offset, kafka_ms, raw, header_keys, header_values, 'not_json' FROM events_kept WHERE id = 'u'"
		w.keep(t, "dead_letters")
		w.changed(t, "events", func(table, _ string) {
			w.exec(t, "DELETE FROM %s WHERE id = 'u'", table)
			w.exec(t, "%s", letter)
		}, func() {
			if found := w.differences(t, true); !strings.Contains(found, " is stored as a dead letter, but by Kafka's bytes it is an event") {
				t.Error(found)
			}
		})
		w.restore(t, "dead_letters")
	})
}

// A dead letter of an older version, whose rules refused what is an event now, is no
// difference; neither is an event that the rules of now would refuse.
func TestVerifySaysWhatOlderRulesJudged(t *testing.T) {
	w := startTown(t, newYear(), november())
	w.play(t, append(metered(), `{"seal":"2026-11"}`)...)
	w.keep(t, "events")
	w.keep(t, "dead_letters")
	w.exec(t, "DELETE FROM events WHERE id = 'u'")
	w.exec(t, "INSERT INTO dead_letters (topic, partition, offset, kafka_ms, key, value, header_keys, header_values, reason, detail) "+
		"SELECT topic, partition, offset, kafka_ms, 'acme', raw, header_keys, header_values, 'null', 'dataschema: is null' FROM events_kept WHERE id = 'u'")
	p, err := w.Auditor().Verify(t.Context(), november(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range p.Found { // the invoice was issued with the event
		if strings.Contains(text, "billing.usage") {
			t.Error(text)
		}
	}
	if p.Messages.Former != 1 {
		t.Errorf("%d were judged by older rules, want 1", p.Messages.Former)
	}
	w.restore(t, "dead_letters")
	w.restore(t, "events")
}
