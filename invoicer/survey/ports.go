package survey

import (
	"context"
	"time"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// RunLog is where runs and their seals are written down, as [invoicer.RunLog] says.
type RunLog interface {
	Runs(ctx context.Context) ([]schemas.Run, error)
	Seals(ctx context.Context) ([]invoicer.Seal, error)
}

// Log tells how far ingest has stored the log, as [invoicer.Log] says.
type Log interface {
	Stored(ctx context.Context) ([]schemas.PartitionEnd, error)
}

// Late finds what late events touch.
type Late interface {
	// MarkSurveyed writes down for a survey what [invoicer.Late] marks for a run.
	MarkSurveyed(ctx context.Context, survey *schemas.Survey, since schemas.Cutoff, sealedTo time.Time) (int64, error)
}

// Deriver derives from the stored events, as package aggregate's does.
type Deriver interface {
	// Derive tells the plan's Anomalies of those of its months.
	Derive(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error
	// Survey tells it of those of all months or, where the plan has a last one, of what
	// came since.
	Survey(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error
}

// Store keeps what is told. Anomalies that are usage may lack source and id: it knows them
// by where they lie.
type Store interface {
	// ToldRuns are the runs of which all anomalies are told, each once or, where it tells
	// of all that came before it too, twice.
	ToldRuns(ctx context.Context) ([]schemas.ToldRun, error)
	// TellRun stores some of what a run tells, and AddTold writes down that all of it is
	// stored.
	TellRun(ctx context.Context, some []schemas.Anomaly) error
	AddTold(ctx context.Context, told schemas.ToldRun) error

	// NewestSurvey is the one that holds, zero for none; its cutoff may not be there.
	NewestSurvey(ctx context.Context) (schemas.Survey, error)
	// WriteSurvey stores some of what a survey tells.
	WriteSurvey(ctx context.Context, survey *schemas.Survey, some []schemas.Anomaly) error
	// AddSurvey makes a survey hold, if so many anomalies and touched resources of it are
	// stored. It is an error if others are; then none are, and it may be made again.
	AddSurvey(ctx context.Context, survey *schemas.Survey, anomalies, touched int64) error
	// DropSurveys drops what surveys tell that do not hold: of those that are not whole,
	// what was begun before an instant.
	DropSurveys(ctx context.Context, before time.Time) error
}
