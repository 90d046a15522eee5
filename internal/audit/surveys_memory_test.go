package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// surveyMemory is what is told of anomalies, as the tables of the store have it.
type surveyMemory struct {
	// told are the runs of which all is told, with the accounts that one leaves out which
	// tells of all before it too; nil of one that does not.
	told    map[int64][]string
	touched map[string]map[[2]string]bool
	rows    map[string]map[anomalyKey]schemas.Anomaly
	whole   []schemas.Survey
}

// anomalyKey is what tells a row from others.
type anomalyKey struct {
	account, resource string
	month             schemas.Month
	time              int64
	at                schemas.Position
	run               int64
}

func keyOf(a schemas.Anomaly) anomalyKey {
	return anomalyKey{a.AccountID, a.ResourceID, a.Month, a.Event.Time.UnixMilli(), a.Event.Position, a.Run}
}

func newSurveyMemory() surveyMemory {
	return surveyMemory{told: map[int64][]string{}, touched: map[string]map[[2]string]bool{}, rows: map[string]map[anomalyKey]schemas.Anomaly{}}
}

func (m *memory) Tell(ctx context.Context, run int64) error {
	return m.AddTold(ctx, schemas.ToldRun{Run: run})
}

func (m *memory) AddTold(_ context.Context, told schemas.ToldRun) error {
	if err := m.trouble("told"); err != nil {
		return err
	}
	leftOut, there := m.surveys.told[told.Run]
	if told.Since && (leftOut == nil || len(told.LeftOut) < len(leftOut)) {
		m.surveys.told[told.Run] = append([]string{}, told.LeftOut...)
	} else if !there {
		m.surveys.told[told.Run] = nil
	}
	return nil
}

func (m *memory) ToldRuns(context.Context) (all []schemas.ToldRun, err error) {
	for run, leftOut := range m.surveys.told {
		all = append(all, schemas.ToldRun{Run: run, Since: leftOut != nil, LeftOut: leftOut})
	}
	return all, nil
}

// toldSince is the newest that tells of all before it; untold tells whether one after it
// has not told.
func (m *memory) toldSince() (since schemas.ToldRun, untold bool) {
	for run, leftOut := range m.surveys.told {
		if leftOut != nil && run > since.Run {
			since = schemas.ToldRun{Run: run, Since: true, LeftOut: leftOut}
		}
	}
	for _, r := range m.runs {
		_, told := m.surveys.told[r.Number]
		untold = untold || r.Number > since.Run && !told
	}
	return since, untold || len(since.LeftOut) > 0
}

func (m *memory) TellRun(_ context.Context, some []schemas.Anomaly) error {
	for _, a := range some {
		m.anomalies[keyOf(a)] = a
	}
	return m.trouble("told of a run")
}

func (m *memory) MarkSurveyed(_ context.Context, survey *schemas.Survey, since schemas.Cutoff, sealedTo time.Time) (int64, error) {
	m.surveys.touched[survey.ID] = m.touches(survey.Cutoff, since, sealedTo)
	return int64(len(m.surveys.touched[survey.ID])), m.trouble("touched by a survey")
}

func (m *memory) NewestSurvey(context.Context) (schemas.Survey, error) {
	if len(m.surveys.whole) == 0 {
		return schemas.Survey{}, nil
	}
	return slices.MaxFunc(m.surveys.whole, func(a, b schemas.Survey) int {
		return slices.Compare([]int64{a.Run, a.Messages, -int64(len(a.LeftOut)), a.NotedAt.UnixMilli()},
			[]int64{b.Run, b.Messages, -int64(len(b.LeftOut)), b.NotedAt.UnixMilli()})
	}), nil
}

func (m *memory) WriteSurvey(_ context.Context, survey *schemas.Survey, some []schemas.Anomaly) error {
	if m.surveys.rows[survey.ID] == nil {
		m.surveys.rows[survey.ID] = map[anomalyKey]schemas.Anomaly{}
	}
	for _, a := range some {
		m.surveys.rows[survey.ID][keyOf(a)] = a
	}
	return m.trouble("told by a survey")
}

func (m *memory) AddSurvey(_ context.Context, survey *schemas.Survey, anomalies, touched int64) error {
	if has, marked := len(m.surveys.rows[survey.ID]), len(m.surveys.touched[survey.ID]); int64(has) != anomalies || int64(marked) != touched {
		delete(m.surveys.rows, survey.ID)
		delete(m.surveys.touched, survey.ID)
		return fmt.Errorf("a survey of %d and %d rows has %d and %d", anomalies, touched, has, marked)
	}
	if err := m.trouble("survey"); err != nil {
		return err
	}
	m.surveys.whole = append(m.surveys.whole, *survey)
	return nil
}

func (m *memory) DropSurveys(ctx context.Context, _ time.Time) error {
	newest, err := m.NewestSurvey(ctx)
	for _, s := range m.surveys.whole {
		if s.ID != newest.ID {
			delete(m.surveys.rows, s.ID)
			delete(m.surveys.touched, s.ID)
		}
	}
	return err
}

// standing is the view anomalies.
func (m *memory) standing() (all []schemas.Anomaly) {
	since, _ := m.toldSince()
	newest, _ := m.NewestSurvey(context.Background())
	parked := func(run int64, account string) bool {
		for _, p := range m.seals[run].Parked {
			if p.AccountID == account {
				return true
			}
		}
		return false
	}
	touchedBy := func(key [2]string) (last int64) {
		for run, touched := range m.touched {
			if _, sealed := m.seals[run]; sealed && touched[key] && !parked(run, key[0]) {
				last = max(last, run)
			}
		}
		return last
	}
	var sealedTo schemas.Month
	for _, s := range m.seals {
		if sealedTo.Before(s.Month) {
			sealedTo = s.Month
		}
	}
	for _, a := range m.anomalies {
		key := [2]string{a.AccountID, a.ResourceID}
		_, told := m.surveys.told[a.Run]
		_, sealed := m.seals[a.Run]
		surveyed := a.Run <= newest.Run && m.surveys.touched[newest.ID][key] && !slices.Contains(newest.LeftOut, a.AccountID)
		if told && sealed && a.Run >= since.Run && (a.Run > since.Run || !slices.Contains(since.LeftOut, a.AccountID)) && a.Run >= touchedBy(key) && !parked(a.Run, a.AccountID) && !surveyed {
			all = append(all, a)
		}
	}
	for _, a := range m.surveys.rows[newest.ID] {
		holds := sealedTo.Before(a.Month) || !newest.Month.Before(a.Month) && touchedBy([2]string{a.AccountID, a.ResourceID}) <= newest.Run
		if holds && !slices.Contains(newest.LeftOut, a.AccountID) {
			all = append(all, a)
		}
	}
	return all
}
