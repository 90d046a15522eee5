package clickhouse

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

func anomalyIn(account, resource string, offset int64) schemas.Anomaly {
	at := schemas.Position{Topic: "billing.usage", Partition: 3, Offset: offset, Log: 2}
	return schemas.Anomaly{
		AccountID: account, ResourceID: resource, Month: september(), Run: 2, Reason: schemas.UnmatchedUsage,
		Event: schemas.EventRef{Source: "s", ID: fmt.Sprint(offset), Type: schemas.UsageRecorded, Time: day(1), Position: at},
	}
}

// unnamed is usage that nobody asked the name of.
func unnamed(resource string, at time.Time, offset int64) schemas.Anomaly {
	a := anomalyIn("it's", resource, offset)
	a.Event = schemas.EventRef{Type: schemas.UsageRecorded, Time: at, Position: schemas.Position{Topic: "billing.usage", Offset: offset}}
	return a
}

func testAnomaliesAreNamed(t *testing.T, s *Store) {
	const account, resource = "it's", `a "resource" \ of`
	var events []clickhousetest.Carried
	var all []schemas.Anomaly
	// More than are looked up at once, of months far apart.
	for i := range int64(4_100) {
		at := clickhousetest.Noon().AddDate(0, int(i%3), 0).Add(time.Duration(i) * time.Millisecond)
		r := fmt.Sprint(resource, i%7)
		events = append(events, clickhousetest.UsageEvent(account, r, fmt.Sprintf("e-%d", i), at, i))
		all = append(all, unnamed(r, at, i))
	}
	clickhousetest.Store(t, s, events...)
	clickhousetest.Store(t, s, events[:9]...) // again: a message that is stored twice is one
	if err := s.Write(t.Context(), invoicer.Batch{Anomalies: all}); err != nil {
		t.Fatal(err)
	}
	if n := clickhousetest.Number(t, config(s), "SELECT toInt64(countIf(id = concat('e-', toString(offset)) AND source != '')) FROM run_anomalies FINAL"); n != int64(len(all)) {
		t.Errorf("%d of %d are named as they are", n, len(all))
	}
	at := all[0].Event.Time
	for _, gone := range []schemas.Anomaly{
		unnamed(resource+"0", at, 99_999), unnamed(resource+"0", at.Add(time.Millisecond), 0), unnamed(resource+"1", at, 0),
	} {
		err := s.Write(t.Context(), invoicer.Batch{Anomalies: []schemas.Anomaly{gone}})
		if err == nil || !strings.Contains(err.Error(), "the event at "+gone.Event.Position.Where()+" is gone") {
			t.Errorf("an event that is not there: %v", err)
		}
	}
}

func testSurveys(t *testing.T, s *Store) {
	survey := func(id string, messages int64, leftOut ...string) *schemas.Survey {
		return &schemas.Survey{ID: id, Messages: messages, LeftOut: leftOut, NotedAt: clickhousetest.Noon()}
	}
	tell := func(of *schemas.Survey, anomalies ...schemas.Anomaly) {
		t.Helper()
		if err := s.WriteSurvey(t.Context(), of, anomalies); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(want string) {
		t.Helper()
		counts, err := s.CountAnomalies(t.Context())
		newest, newestErr := s.NewestSurvey(t.Context())
		rows := clickhousetest.Number(t, config(s), "SELECT toInt64(uniqExact(survey)) FROM survey_anomalies")
		if got := fmt.Sprintf("%d of %q, %d kept", counts[schemas.UnmatchedUsage], newest.ID, rows); got != want || err != nil || newestErr != nil {
			t.Errorf("shown are %s, %v, %v; want %s", got, err, newestErr, want)
		}
	}
	one, two, late := survey("one", 10), survey("two", 20, "b"), survey("late", 15)
	a, b := anomalyIn("a", "r", 1), anomalyIn("b", "r", 2)
	tell(one, a, b)
	tell(one, a, b) // again, as after a crash or by a twin
	shows("0 of \"\", 1 kept")
	if err := s.AddSurvey(t.Context(), one, 2, 0); err != nil {
		t.Fatal(err)
	}
	shows("2 of \"one\", 1 kept")
	tell(two, a)
	tell(late, a)
	shows("2 of \"one\", 3 kept")
	// What another process dropped, or somebody else's row, makes it no survey.
	if err := s.AddSurvey(t.Context(), two, 2, 0); err == nil || !strings.Contains(err.Error(), "1 anomalies and 0 touched resources") {
		t.Errorf("half a survey was taken: %v", err)
	}
	shows("2 of \"one\", 2 kept")
	tell(two, a, b)
	if err := s.AddSurvey(t.Context(), two, 2, 0); err != nil {
		t.Fatal(err)
	}
	shows("1 of \"two\", 3 kept") // b is left out
	if err := s.DropSurveys(t.Context(), clickhousetest.Noon()); err != nil {
		t.Fatal(err)
	}
	shows("1 of \"two\", 2 kept") // the late one is being made
	// One that began with less comes to its end later, and is nobody's.
	if err := s.AddSurvey(t.Context(), late, 1, 0); err != nil {
		t.Fatal(err)
	}
	tell(survey("abandoned", 30), a)
	if err := s.DropSurveys(t.Context(), clickhousetest.Noon().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	shows("1 of \"two\", 1 kept")
}

// testWhatStands plays runs and a survey, and asks the view after each step: its rows are
// named by their offsets.
func testWhatStands(t *testing.T, s *Store) {
	does := func(statements ...string) {
		t.Helper()
		for _, text := range statements {
			if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	tells := func(run int64, rows string) {
		t.Helper()
		does("INSERT INTO run_anomalies (month, account_id, resource_id, offset, reason, run) SELECT x.1, x.2, 'r', x.3, 'no_effect', "+fmt.Sprint(run)+" FROM (SELECT arrayJoin(["+rows+"]) AS x)",
			"INSERT INTO told_runs (run) VALUES ("+fmt.Sprint(run)+")")
	}
	seals := func(run int64, month, parked string) {
		t.Helper()
		does(fmt.Sprintf("INSERT INTO seals (run, sealed_at, month, parked_accounts) SELECT %d, now64(3) + (SELECT count() FROM seals), '%s', [%s]", run, month, parked))
	}
	surveys := func(id string, run, messages int64, month, leftOut, touched, rows string) {
		t.Helper()
		does("INSERT INTO survey_anomalies (survey, month, account_id, resource_id, offset, reason) SELECT '"+id+"', x.1, x.2, 'r', x.3, 'no_effect' FROM (SELECT arrayJoin(["+rows+"]) AS x)",
			"INSERT INTO survey_resources (survey, account_id, resource_id) SELECT '"+id+"', arrayJoin(CAST(["+touched+"] AS Array(String))), 'r'",
			fmt.Sprintf("INSERT INTO surveys (survey, run, month, messages, left_out) VALUES ('%s', %d, '%s', %d, [%s])", id, run, month, messages, leftOut))
	}
	stand := func(when, want string) {
		t.Helper()
		var got string
		err := clickhousetest.Direct(t, config(s)).QueryRow(t.Context(),
			"SELECT arrayStringConcat(arraySort(groupArray(toString(offset))), ' ') FROM anomalies").Scan(&got)
		if err != nil || got != want {
			t.Errorf("%s: %s stand, %v; want %s", when, got, err, want)
		}
	}
	stand("at first", "")
	surveys("s0", 0, 5, "", "", "", "('2026-09', 'a', 10), ('2026-10', 'a', 11), ('2026-10', 'b', 12)")
	stand("a survey before the first seal", "10 11 12")
	tells(1, "('2026-09', 'a', 10), ('2026-09', 'b', 13)")
	stand("a run has told and is not sealed", "10 11 12")
	seals(1, "2026-09", "'b'")
	stand("it is, but for b; October is still the survey's", "10 11 12")
	does("INSERT INTO surveys (survey, run, month, messages) VALUES ('empty', 1, '2026-09', 6)")
	stand("the next survey finds nothing", "10")
	seals(1, "2026-09", "")
	stand("b is mended", "10 13")
	does("INSERT INTO touched_resources VALUES (2, 'a', 'r')")
	stand("run 2 marks what it touches", "10 13")
	surveys("s1", 1, 7, "2026-09", "", "'a', 'b'", "('2026-09', 'b', 14), ('2026-10', 'b', 15), ('2026-11', 'b', 16)")
	stand("a survey derives a and b anew", "14 15 16")
	surveys("s2", 1, 8, "2026-09", "'b'", "'a', 'b'", "('2026-09', 'b', 14), ('2026-10', 'a', 17)")
	stand("another does, but for b", "13 17")
	tells(2, "('2026-09', 'a', 20), ('2026-10', 'a', 21), ('2026-10', 'b', 22)")
	seals(2, "2026-10", "'c'")
	stand("run 2 is sealed: what it touched is as it says", "13 20 21 22")
	does("INSERT INTO touched_resources VALUES (3, 'b', 'r'), (3, 'c', 'r')")
	seals(3, "2026-11", "")
	stand("run 3 is of a version that tells nothing, and touched b", "20 21")
	does("INSERT INTO told_runs (run, since, left_out) VALUES (3, true, ['c'])")
	does("INSERT INTO run_anomalies (month, account_id, resource_id, offset, reason, run) VALUES ('2026-09', 'a', 'r', 30, 'no_effect', 3), ('2026-11', 'c', 'r', 31, 'no_effect', 3)")
	stand("it is made up for, but for c", "30")
	does("INSERT INTO told_runs (run, since) VALUES (3, true)")
	stand("and then for c", "30 31")
}
