package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/schemas"
)

// L1, L2: Kafka is replaced: the same topics, empty. Nothing is read or sealed before
// somebody says so; then nothing of either log is lost, nor meets the other's.
func TestALogThatIsAnotherOneIsRefusedUntilItIsAccepted(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.september()
	l.again(l.loseKafka)
	l.refuses("billing.usage", l.replaced())
	l.accept()
	l.startIngest()
	l.october()
	l.seal("2026-10")
	l.wantOctober()
	if n := l.letters(); n != 27 {
		t.Errorf("%d dead letters, must be 27", n)
	}
	proof, err := l.app.Auditor().Verify(t.Context(), schemas.Month{Year: 2026, Month: time.October}, false)
	if err != nil || len(proof.Found) > 0 {
		t.Errorf("verify: %v, %+v", err, proof)
	}
	l.again(func() {}) // a restart finds the second log as it was
	l.startIngest()
	l.seal("2026-10")
	l.wantOctober()
}

// L1: topics are deleted and made again while ingest reads them: what lies in the new
// ones is not taken for what was to come in the old.
func TestATopicThatIsMadeAgainWhileItIsReadIsRefused(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.september()
	for _, topic := range []string{lifecycle, usage} {
		l.remake(topic)
	}
	ingested := l.ingested
	if err := <-ingested; err == nil {
		t.Fatal("ingest goes on")
	}
	l.ingested = nil
	l.october()
	l.refuses("billing.lifecycle", "was deleted and made again")
	l.accept()
	l.startIngest()
	l.seal("2026-10")
	l.wantOctober()
}

// L2: a letter of the new log at the offset of one of the old that was replayed can be
// replayed as well.
func TestADeadLetterAtAnOffsetThatIsUsedAgainIsAnother(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	replay := func() LetterCounts {
		var counts LetterCounts
		if err := l.app.ReplayLetters(t.Context(), &LetterReplay{}, func(c LetterCounts) { counts = c }); err != nil {
			t.Fatal(err)
		}
		return counts
	}
	l.send(usage, "old")
	l.settle()
	if c := replay(); c.Left() != 1 {
		t.Fatalf("replayed %+v", c)
	}
	l.again(l.loseKafka)
	l.accept()
	l.startIngest()
	l.send(usage, "new")
	l.settle()
	if c := replay(); c.Left() < 1 || l.letters() < 3 {
		t.Errorf("of the new log's letter replayed %+v, of %d letters", c, l.letters())
	}
	var at []schemas.Position
	err := l.app.Store.DeadLetters(t.Context(), audit.DeadLetterFilter{}, true, func(d *audit.DeadLetter) error {
		if string(d.Value) == "new" && d.Replays > 0 {
			at = append(at, d.Position)
		}
		return nil
	})
	if err != nil || len(at) != 1 || at[0].Log != 2 {
		t.Errorf("the new letter lies at %v, %v", at, err)
	}
}

// settle waits until ingest has stored all there is.
func (l *life) settle() {
	l.Helper()
	s, err := l.app.Sealer(nil)
	if err != nil {
		l.Fatal(err)
	}
	if _, err := s.NoteCutoff(l.Context()); err != nil {
		l.Fatal(err)
	}
}

// L3: ClickHouse comes back as it was before the last batches were stored: they are read
// again.
func TestAStoreThatWasRestoredReadsAgainWhatItLost(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	for i := range 2 {
		l.send(lifecycle, event(fmt.Sprintf("c%d", i+1), "resource.created", fmt.Sprintf("r%d", i+1), "2026-09-01", machine))
	}
	l.send(usage, used("u1", "r1", "2026-09-02", 1))
	l.seal("2026-09")
	store, backup := filepath.Join(l.folder, "clickhouse"), filepath.Join(t.TempDir(), "backup")
	l.again(func() { l.copy(store, backup) })
	l.startIngest()
	l.send(lifecycle, event("d2", "resource.deleted", "r2", "2026-10-11", ""), event("c3", "resource.created", "r3", "2026-10-21", machine))
	l.send(usage, used("u2", "r1", "2026-10-02", 500))
	l.settle()
	l.again(func() {
		l.lose("clickhouse")
		l.copy(backup, store)
	})
	l.startIngest()
	l.seal("2026-10")
	l.expect("2026-10", map[string]int64{"r1 invoice": 44640 + 500, "r2 invoice": 14400, "r3 invoice": 15840})
}

func (l *life) copy(from, to string) {
	l.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		l.Fatal(err)
	}
}

// L3: the store is restored while ingest runs: the next batch does not join on to what
// is there, and is read again from where that ends.
func TestAStoreThatIsRestoredUnderIngestIsNoticed(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.send(lifecycle, event("c1", "resource.created", "r1", "2026-09-01", machine))
	l.settle()
	for _, table := range []string{"log_notes", "events", "identities"} {
		l.query("CREATE TABLE IF NOT EXISTS saved_" + table + " AS " + table)
		l.query("INSERT INTO saved_" + table + " SELECT * FROM " + table)
	}
	l.send(lifecycle, event("c2", "resource.created", "r2", "2026-09-01", machine))
	l.settle()
	for _, table := range []string{"log_notes", "events", "identities"} {
		l.query("EXCHANGE TABLES saved_" + table + " AND " + table)
	}
	l.send(lifecycle, event("c3", "resource.created", "r3", "2026-09-01", machine))
	if err := <-l.ingested; err == nil || !strings.Contains(err.Error(), "restored from an earlier state") {
		t.Fatalf("ingest ended with %v", err)
	}
	l.startIngest()
	l.seal("2026-09")
	l.expect("2026-09", map[string]int64{"r1 invoice": 43200, "r2 invoice": 43200, "r3 invoice": 43200})
}

// L4: an earlier run has noted more of a partition than there is: whatever the log tells, the
// next run is refused by that partition, and nothing is sealed of it.
func TestASealOfALogThatEndsBeforeAnEarlierRunsCutoffIsRefused(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.send(lifecycle, event("c1", "resource.created", "r1", "2026-09-01", machine))
	l.seal("2026-09")
	runs, err := l.app.Store.Runs(t.Context())
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs %+v, %v", runs, err)
	}
	ahead, partition := runs[0], int32(-1)
	ahead.Number, ahead.Cutoff = 2, slices.Clone(runs[0].Cutoff)
	for i := range ahead.Cutoff {
		if end := &ahead.Cutoff[i]; end.Topic == lifecycle && end.End > 0 {
			end.End, partition = end.End+5, end.Partition
		}
	}
	if _, err := l.app.Store.AddRun(t.Context(), ahead); err != nil {
		t.Fatal(err)
	}
	if err := l.trySeal("2026-10"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("billing.lifecycle/%d", partition)) {
		t.Errorf("the seal ended with %v", err)
	}
	if runs, err = l.app.Store.Runs(t.Context()); err != nil || len(runs) != 2 {
		t.Errorf("runs %+v, %v", runs, err)
	}
	if got := l.totals("2026-10"); len(got) > 0 {
		t.Errorf("of October %v is invoiced", got)
	}
}

// A group that is forgotten, or another one, changes nothing.
func TestWhatTheGroupCommittedDecidesNothing(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.september()
	l.stopIngest()
	l.app.Config.Kafka.Group = "another"
	l.startIngest()
	l.october()
	l.seal("2026-10")
	l.wantOctober()
	counts, err := l.app.Store.Counts(t.Context())
	if err != nil || counts.Duplicate != 0 || counts.Stored != 32 {
		t.Errorf("counted %+v, %v", counts, err)
	}
}

// L6: messages were deleted before they were read. The refusal names the offsets and the
// command, and what it accepts is a gap that is listed for ever.
func TestMessagesThatWereDeletedBeforeTheyWereReadAreAGap(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.send(usage, used("u1", "r1", "2026-09-02", 1))
	l.settle()
	l.stopIngest()
	for i := range 5 {
		l.send(usage, used(fmt.Sprintf("v%d", i), "r1", "2026-09-02", 1))
	}
	partition, stored := l.filled(usage)
	l.admin().DeleteBefore(t, usage, partition, stored+3)
	l.refuses(fmt.Sprintf("billing.usage/%d begins at offset %d and is stored to %d", partition, stored+3, stored), "deleted before they were read")
	l.accept()
	l.startIngest()
	l.settle()
	r, err := l.app.Logs(t.Context())
	if err != nil || len(r.Found) > 0 || len(r.Gaps) != 1 || r.Gaps[0].From != stored || r.Gaps[0].End != stored+3 || r.Gaps[0].Reason != "the disk died" {
		t.Errorf("listed %+v, %v", r, err)
	}
	l.seal("2026-09")
	proof, err := l.app.Auditor().Verify(t.Context(), schemas.Month{Year: 2026, Month: time.September}, false)
	if err != nil || len(proof.Found) > 0 || len(proof.Gaps) != 1 {
		t.Errorf("verify: %v, %+v", err, proof)
	}
	counts, err := l.app.Store.Counts(t.Context())
	if err != nil || counts.Stored != 3 {
		t.Errorf("counted %+v, %v: u1, v3 and v4 are there", counts, err)
	}
}

// A topic under another name is another log.
func TestASettingThatNamesAnotherTopicIsAnotherLog(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.september()
	l.stopIngest()
	l.app.Config.Kafka.Topics.Usage = "billing.usage.next"
	if err := l.app.ensureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.refuses("kafka.topics.usage names topic billing.usage.next")
	l.accept()
	l.startIngest()
	l.send("billing.usage.next", used("u22", "r4", "2026-10-20", 500), used("u11", "r2", "2026-10-05", 10))
	l.seal("2026-10")
	l.expect("2026-10", map[string]int64{"r4 invoice": 45140, "r2 invoice": 44740})
	counts, err := l.app.Store.Counts(t.Context())
	if err != nil || counts.Duplicate != 1 {
		t.Errorf("counted %+v, %v: one event was sent again", counts, err)
	}
}

// remake deletes a topic and makes it again.
func (l *life) remake(topic string) {
	l.Helper()
	l.admin().DeleteTopic(l.T, topic)
	if err := l.app.ensureTopics(l.Context()); err != nil {
		l.Fatal(err)
	}
}

// filled is the one partition of a topic that has messages, and how far it is stored.
func (l *life) filled(topic string) (partition int32, stored int64) {
	l.Helper()
	r, err := l.app.Logs(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	for _, log := range r.Logs {
		for _, at := range log.Reached {
			if at.Topic == topic && at.End > 0 {
				return at.Partition, at.End
			}
		}
	}
	l.Fatalf("nothing of %s is stored", topic)
	return 0, 0
}

func (l *life) query(text string) {
	l.Helper()
	if err := query(l.Context(), l.app.Endpoints(), l.app.Config.ClickHouse.Database, text); err != nil {
		l.Fatal(err)
	}
}

// older makes the store one from before there were logs: what it stores is known by the
// offsets that its group committed alone.
func (l *life) older() {
	l.Helper()
	for _, table := range []string{"logs", "log_notes", "log_marks"} {
		l.query("TRUNCATE TABLE " + table)
	}
}

// The first start after an older version takes what lies in Kafka for the first log, if
// the last stored message of each partition is what it was, and reads nothing again that
// the group had committed.
func TestAStoreFromBeforeThereWereLogsGoesOn(t *testing.T) {
	l := newLife(t)
	l.app.Config.Kafka.Group = usualGroup
	l.startIngest()
	l.september()
	l.stopIngest()
	l.older()
	l.app.Config.Kafka.Group = ""
	l.startIngest()
	l.october()
	l.seal("2026-10")
	l.wantOctober()
	counts, err := l.app.Store.Counts(t.Context())
	if err != nil || counts.Duplicate != 0 || counts.Stored != 32 {
		t.Errorf("counted %+v, %v", counts, err)
	}
	r, err := l.app.Logs(t.Context())
	if err != nil || len(r.Logs) != 2 || r.Logs[0].Number != 0 || r.Logs[0].TopicID == "" || r.Logs[1].Found != "was read before there were logs" {
		t.Errorf("logs %+v, %v", r, err)
	}
}

// L1: of a store from before there were logs too: it is known by its last messages.
func TestALogThatIsAnotherOneAtTheFirstStartIsRefused(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.september()
	l.stopIngest()
	l.older()
	l.again(l.loseKafka)
	l.refuses("billing.lifecycle", "is stored to")
	l.accept()
	l.startIngest()
	l.october()
	l.seal("2026-10")
	l.wantOctober()
}

// L1: messages of another log may be as many as were stored: then their bytes differ.
func TestAnotherLogOfTheSameLengthIsKnownByItsLastMessage(t *testing.T) {
	l := newLife(t)
	l.startIngest()
	l.send(lifecycle, event("c1", "resource.created", "r1", "2026-09-01", machine))
	l.seal("2026-09")
	l.stopIngest()
	l.older()
	l.again(l.loseKafka)
	l.send(lifecycle, event("c2", "resource.created", "r2", "2026-09-01", machine), event("c3", "resource.created", "r3", "2026-09-01", machine))
	l.refuses("billing.lifecycle", "has another message before offset 1")
}
