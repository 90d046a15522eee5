package invoices

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// surveyRow is a row of surveys.
type surveyRow struct {
	schemas.Survey
	month string
}

func (r *surveyRow) columns() column.Fields {
	return column.Fields{
		{Name: "survey", Value: &r.ID},
		{Name: "run", Value: &r.Run},
		{Name: "month", Value: &r.month},
		{Name: "messages", Value: &r.Messages},
		{Name: "left_out", Value: &r.LeftOut},
		{Name: "noted_at", Value: &r.NotedAt},
	}
}

// NewestSurvey is the one that holds, zero for none; its cutoff is not kept.
func (s *Store) NewestSurvey(ctx context.Context) (schemas.Survey, error) {
	var newest surveyRow
	err := s.db.Each(ctx, "newest_survey", newest.columns().Dest(), func() (err error) {
		if newest.month != "" {
			newest.Month, err = schemas.ParseMonth(newest.month)
		}
		return err
	})
	if err != nil {
		return schemas.Survey{}, fmt.Errorf("read the newest survey: %w", err)
	}
	newest.NotedAt = newest.NotedAt.UTC()
	return newest.Survey, nil
}

// WriteSurvey stores some of what a survey tells. Nobody sees it before [Store.AddSurvey].
func (s *Store) WriteSurvey(ctx context.Context, survey *schemas.Survey, all []schemas.Anomaly) error {
	if err := s.nameEvents(ctx, all); err != nil {
		return err
	}
	rows := make([]tables.Surveyed, len(all))
	for i := range all {
		rows[i] = tables.Surveyed{Survey: survey, Anomaly: all[i]}
	}
	return insertRows(ctx, s, rows, func(r *rowSet) *tableRows[tables.Surveyed] { return r.surveyed })
}

// AddSurvey makes a survey hold, of which so many anomalies and touched resources must be
// stored. If others are, because somebody dropped it meanwhile or the events are not what
// they were when an attempt broke off, what is there is dropped: it is to be made again.
func (s *Store) AddSurvey(ctx context.Context, survey *schemas.Survey, anomalies, touched int64) error {
	var has, hasTouched int64
	if err := s.db.Row(ctx, "count_survey", []any{&has, &hasTouched}, column.Bind("survey", survey.ID)); err != nil {
		return err
	}
	if has != anomalies || hasTouched != touched {
		if err := s.dropSurvey(ctx, survey.ID); err != nil {
			return err
		}
		return fmt.Errorf("%d anomalies and %d touched resources of the survey are stored, and must be %d and %d", has, hasTouched, anomalies, touched)
	}
	row := surveyRow{Survey: *survey}
	if !survey.Month.IsZero() {
		row.month = survey.Month.String()
	}
	input, err := row.columns().Input()
	if err != nil {
		return err
	}
	return s.db.Insert(ctx, "", column.Insert{Table: "surveys", Blocks: []column.Input{input}})
}

// DropSurveys drops what surveys tell that do not hold: those that are whole, and those
// that were begun before an instant and never became so.
func (s *Store) DropSurveys(ctx context.Context, before time.Time) error {
	var old []string
	var one string
	err := s.db.Each(ctx, "old_surveys", []any{&one}, func() error {
		old = append(old, one)
		return nil
	}, column.Bind("before", before))
	if err != nil {
		return fmt.Errorf("look for surveys to drop: %w", err)
	}
	for _, survey := range old {
		if err := s.dropSurvey(ctx, survey); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) dropSurvey(ctx context.Context, survey string) error {
	for _, table := range []string{"survey_anomalies", "survey_resources"} {
		if err := s.db.Exec(ctx, "drop_"+table, column.Bind("survey", survey)); err != nil {
			return fmt.Errorf("drop survey %s: %w", survey, err)
		}
	}
	return nil
}

// CountAnomalies counts those that stand, by reason.
func (s *Store) CountAnomalies(ctx context.Context) (map[schemas.Reason]int64, error) {
	counts := map[schemas.Reason]int64{}
	var reason string
	var count int64
	err := s.db.Each(ctx, "count_anomalies", []any{&reason, &count}, func() error {
		counts[schemas.Reason(reason)] = count
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the anomalies: %w", err)
	}
	return counts, nil
}
