package survey

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Surveyor makes surveys.
type Surveyor struct {
	RunLog  RunLog
	Log     Log
	Late    Late
	Deriver Deriver
	Store   Store
	// Zone is the billing zone.
	Zone *time.Location
	Now  func() time.Time
	// Rows is how many anomalies are written together, 0 for 20,000.
	Rows int
}

const (
	usualRows = 20_000
	// abandoned is how long ago a survey was begun that is not made any more.
	abandoned = 24 * time.Hour
)

// Result is what a survey came to.
type Result struct {
	schemas.Survey
	// Anew tells that something came since the one before: else nothing was written.
	Anew bool
	// Anomalies are those that it tells of.
	Anomalies int64
	// Broken are accounts that could not be derived, each with why, and which it leaves
	// out beside those that are parked.
	Broken map[string]error
}

// Survey makes one, unless the one that holds says the same.
func (s *Surveyor) Survey(ctx context.Context) (Result, error) {
	survey, err := s.note(ctx)
	if err != nil {
		return Result{}, err
	}
	// The runs come after what is stored: who reads them sees all that was stored before.
	b, err := s.open(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := s.tellOlder(ctx, b); err != nil {
		return Result{}, err
	}
	survey.Run, survey.Month, survey.LeftOut = b.base.Number, b.month, b.parked
	anew, err := s.name(ctx, &survey)
	if err != nil || !anew {
		return Result{Survey: survey}, err
	}
	return s.look(ctx, b, survey)
}

// note notes what is stored.
func (s *Surveyor) note(ctx context.Context) (schemas.Survey, error) {
	survey := schemas.Survey{NotedAt: s.Now().UTC().Truncate(time.Millisecond)}
	stored, err := s.Log.Stored(ctx)
	if err != nil {
		return survey, fmt.Errorf("read how far the log is stored: %w", err)
	}
	survey.Cutoff = schemas.NewCutoff(stored)
	for _, p := range survey.Cutoff {
		survey.Messages += p.End
	}
	return survey, nil
}

// name gives a survey its ID, and tells whether it is another than the one that holds.
func (s *Surveyor) name(ctx context.Context, survey *schemas.Survey) (anew bool, err error) {
	newest, err := s.Store.NewestSurvey(ctx)
	if err != nil {
		return false, err
	}
	// The log only grows: as many messages of the same partitions are the same ones.
	if newest.Run != survey.Run || newest.Messages != survey.Messages {
		survey.ID = identify(survey, "")
		return survey.Messages > 0, nil
	}
	// An account that could not be derived may have been mended since.
	survey.ID = identify(survey, survey.NotedAt.String())
	return !slices.Equal(newest.LeftOut, survey.LeftOut), nil
}

// look makes a survey.
func (s *Surveyor) look(ctx context.Context, b *books, survey schemas.Survey) (Result, error) {
	var touched int64
	if b.base.Number > 0 {
		var err error
		if touched, err = s.Late.MarkSurveyed(ctx, &survey, b.base.Cutoff, b.month.End(s.Zone)); err != nil {
			return Result{}, fmt.Errorf("survey: %w", err)
		}
	}
	g := s.gather(func(some []schemas.Anomaly) error { return s.Store.WriteSurvey(ctx, &survey, some) })
	broken := brokenAccounts{}
	plan := schemas.Derivation{
		// Snapshots of the base count, and of no later run.
		Run: schemas.Run{Number: b.base.Number + 1, Cutoff: survey.Cutoff}, Earlier: b.runs, First: b.base.FirstMonth, Last: b.month,
		Untouched: touched == 0, Except: b.parked, Survey: survey.ID, Anomalies: g.take,
	}
	err := s.Deriver.Survey(ctx, plan, broken.note)
	if err = cmp.Or(err, g.flush()); err != nil {
		return Result{}, fmt.Errorf("survey: %w", err)
	}
	survey.LeftOut = slices.Sorted(slices.Values(append(slices.Clip(survey.LeftOut), slices.Collect(maps.Keys(broken))...)))
	if err := s.Store.AddSurvey(ctx, &survey, g.told, touched); err != nil {
		return Result{}, fmt.Errorf("write down the survey: %w", err)
	}
	result := Result{Survey: survey, Anew: true, Anomalies: g.told, Broken: broken}
	return result, s.Store.DropSurveys(ctx, survey.NotedAt.Add(-abandoned))
}

// gathered are anomalies that are to be written.
type gathered struct {
	zone  *time.Location
	run   int64
	rows  int
	some  []schemas.Anomaly
	told  int64
	write func([]schemas.Anomaly) error
}

func (s *Surveyor) gather(write func([]schemas.Anomaly) error) *gathered {
	return &gathered{zone: s.Zone, rows: cmp.Or(s.Rows, usualRows), write: write}
}

func (g *gathered) take(a schemas.Anomaly) error {
	a.Month, a.Run = schemas.MonthOf(a.Event.Time, g.zone), g.run
	if g.some = append(g.some, a); len(g.some) < g.rows {
		return nil
	}
	return g.flush()
}

func (g *gathered) flush() error {
	if len(g.some) == 0 {
		return nil
	}
	g.told += int64(len(g.some))
	err := g.write(g.some)
	g.some = g.some[:0]
	return err
}
