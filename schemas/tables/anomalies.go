package tables

import "github.com/reckon-billing/reckon/schemas"

// RunAnomalies are the events that bill nothing, as runs tell of them.
func RunAnomalies() Table[schemas.Anomaly] {
	return Table[schemas.Anomaly]{"run_anomalies", func(a *schemas.Anomaly, c Columns) {
		anomaly(a, c)
		c.Integer("run", &a.Run)
	}}
}

// Surveyed is what a survey tells of.
type Surveyed struct {
	*schemas.Survey
	schemas.Anomaly
}

// SurveyAnomalies are the events that bill nothing, as surveys tell of them. They are
// written, never scanned.
func SurveyAnomalies() Table[Surveyed] {
	return Table[Surveyed]{"survey_anomalies", func(s *Surveyed, c Columns) {
		if s.Survey == nil {
			s.Survey = &schemas.Survey{}
		}
		anomaly(&s.Anomaly, c)
		c.Text("survey", &s.ID)
		c.Instant("noted_at", &s.NotedAt)
	}}
}

func anomaly(a *schemas.Anomaly, c Columns) {
	c.Month("month", &a.Month)
	c.Text("account_id", &a.AccountID)
	c.Text("resource_id", &a.ResourceID)
	c.Instant("time", &a.Event.Time)
	c.Word("reason", (*string)(&a.Reason))
	c.Word("type", (*string)(&a.Event.Type))
	c.Text("source", &a.Event.Source)
	c.Text("id", &a.Event.ID)
	c.Small("log", &a.Event.Position.Log)
	c.Word("topic", &a.Event.Position.Topic)
	c.Small("partition", &a.Event.Position.Partition)
	c.Integer("offset", &a.Event.Position.Offset)
	c.Word("item", &a.Item)
	c.Quantity("value", &a.Value)
}
