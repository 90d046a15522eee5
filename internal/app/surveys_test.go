package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
)

// asked are the rows that a query gives, as somebody with a client sees them.
func asked(ctx context.Context, e embedded.Endpoints, database, text string) (rows []string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.HTTP+"/?database="+database, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(e.User, e.Password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", text, said)
	}
	return strings.Split(strings.TrimSuffix(string(said), "\n"), "\n"), err
}

// T8: what bills nothing is counted by its reason, all of them there also at 0, as of
// when it was last looked at.
func TestWhatBillsNothingIsCounted(t *testing.T) {
	ctx := t.Context()
	o := options(t, t.TempDir())
	o.Config.Invoicer.Survey = time.Second
	a, err := Connect(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	const usage = `{"specversion":"1.0","id":"u-1","source":"/meter","type":"usage.recorded","subject":"srv","time":"2026-09-01T00:00:00Z","data":{"account_id":"acme","item":"out","value":"3"}}`
	out, err := a.Kafka.NewProducer(ctx, a.EventTopics()...)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := out.Produce(ctx, []schemas.Message{{Position: schemas.Position{Topic: "billing.usage"}, Time: at, Value: []byte(usage)}}); err != nil {
		t.Fatal(err)
	}
	p := &process{App: a, reg: telemetry.NewRegistry(), health: telemetry.NewHealth(o.Now)}
	check := p.health.Check("survey")
	stage := p.survey(check)
	err = a.WithIngest(ctx, func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- stage(ctx) }()
		testkit.Eventually(t, 30*time.Second, "a survey finds what was stored", func() bool {
			counts, err := a.Store.CountAnomalies(ctx)
			return err == nil && counts[schemas.UnmatchedUsage] == 1 && gathered(t, p.reg)["reckon_anomalies_surveyed_timestamp_seconds "] > 0
		})
		stop()
		return unlessStopped(ctx, <-ended)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := newStoreGauges(p.reg).refresh(ctx, a.Store); err != nil {
		t.Fatal(err)
	}
	gauges := gathered(t, p.reg)
	for _, reason := range schemas.AnomalyReasons() {
		want := 0.0
		if reason == schemas.UnmatchedUsage {
			want = 1
		}
		if got, there := gauges["reckon_anomalies "+string(reason)]; !there || got != want {
			t.Errorf("%s is counted %v (%t), want %v", reason, got, there, want)
		}
	}
	if at := gauges["reckon_anomalies_surveyed_timestamp_seconds "]; at < float64(time.Now().Add(-time.Minute).Unix()) || at > float64(time.Now().Unix()+1) {
		t.Errorf("surveyed at %v", at)
	}
	if s := p.health.Status(); !s.Ready {
		t.Errorf("%+v", s)
	}
}

// gathered are the values of gauges, by name and the value of their label.
func gathered(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			label := ""
			for _, l := range m.GetLabel() {
				label = l.GetValue()
			}
			all[f.GetName()+" "+label] = m.GetGauge().GetValue()
		}
	}
	return all
}

// T8: a survey that is never made is none, and counts as no failure.
func TestASurveyIsNotMadeWhereTheSettingSaysSo(t *testing.T) {
	o := options(t, t.TempDir())
	o.Config.Invoicer.Survey = 0
	p := &process{App: &App{Options: o}, reg: telemetry.NewRegistry(), health: telemetry.NewHealth(o.Now)}
	stage := p.survey(p.health.Check("survey"))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := stage(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if s := p.health.Status(); !s.Ready {
		t.Errorf("%+v", s)
	}
	if _, there := gathered(t, p.reg)["reckon_anomalies_surveyed_timestamp_seconds "]; there {
		t.Error("it says when it was made")
	}
}

// look holds what bills nothing against the naive calculator: what the seals so far have
// told, or all after a survey; also where all seals were of a version that told of none.
func (s *story) look(sealed schemas.Month, last bool) {
	how := rapid.IntRange(0, 3).Draw(s.T, "looks")
	if how == 0 && !last {
		s.checkAnomalies(sealed)
		return
	}
	if how == 1 {
		for _, table := range []string{"run_anomalies", "told_runs"} {
			if err := query(s.ctx, s.servers, s.Config.ClickHouse.Database, "TRUNCATE TABLE "+table); err != nil {
				s.Fatal(err)
			}
		}
	}
	if how > 0 || last {
		s.survey()
		s.checkAnomalies(schemas.Month{})
	}
}

// survey makes one. Another of the same writes nothing.
func (s *story) survey() {
	for _, anew := range []bool{true, false} {
		got, err := s.Surveyor().Survey(s.ctx)
		if err != nil || len(got.Broken) > 0 || got.Anew && !anew {
			s.Fatalf("a survey came to %+v, %v", got, err)
		}
	}
}

// checkAnomalies holds the view anomalies, of the months up to one or of all, against the
// naive calculator.
func (s *story) checkAnomalies(last schemas.Month) {
	within := func(m schemas.Month) bool { return last.IsZero() || !last.Before(m) }
	runs, err := s.Store.Runs(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	set := oracle.Settings{Zone: s.zone, Currency: s.Currency(), First: s.first, Last: s.first, Cutoffs: histories.Cutoffs(runs)}
	var want []string
	for _, a := range oracle.Compute(s.copies, set).Anomalies {
		e := &a.Event
		if month := schemas.MonthOf(e.Time, s.zone); within(month) {
			want = append(want, strings.Join([]string{
				a.AccountID, a.ResourceID, month.String(), fmt.Sprint(e.Time.UnixMilli()), string(a.Reason), string(e.Type), e.Source, e.ID,
				a.Item, schemas.FormatDecimal(a.Value), fmt.Sprint(e.Position.Log), e.Position.Topic, fmt.Sprint(e.Position.Partition), fmt.Sprint(e.Position.Offset),
			}, " "))
		}
	}
	slices.Sort(want)
	all, err := asked(s.ctx, s.servers, s.Config.ClickHouse.Database, `SELECT arrayStringConcat([account_id, resource_id, month, toString(toUnixTimestamp64Milli(time)),
		reason, type, source, id, item, toString(value), toString(log), topic, toString(partition), toString(offset)], ' ') AS row FROM anomalies ORDER BY row`)
	if err != nil {
		s.Fatal(err)
	}
	var got []string
	for _, row := range all {
		if row == "" {
			continue // there are none
		}
		month, err := schemas.ParseMonth(strings.Fields(row)[2])
		if err != nil {
			s.Fatal(err)
		}
		if within(month) {
			got = append(got, row)
		}
	}
	if !slices.Equal(got, want) {
		s.Fatalf("up to %s the view says\n%s\nand must say\n%s", last, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	counts, err := s.Store.CountAnomalies(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	if last.IsZero() && total != int64(len(want)) {
		s.Fatalf("counted %v, and %d stand", counts, len(want))
	}
}
