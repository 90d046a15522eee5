package app

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/internal/telemetry"
)

// waitingEvery is how often the log repeats what a seal waits for.
const waitingEvery = time.Minute

// sealWait tells log and readiness what a seal of a process waits for: at once, and as
// long as it lasts. Nobody sits before the process who would wonder.
type sealWait struct {
	log   *slog.Logger
	check *telemetry.Check
	now   func() time.Time

	// began and said are of the wait under way, zero without one.
	began, said time.Time
}

// tell is told what lags, again and again, and of nothing when the wait is over.
func (w *sealWait) tell(lags []Lag) {
	now := w.now()
	if len(lags) == 0 {
		w.log.Info("seal goes on", "waited", now.Sub(w.began).Round(time.Millisecond))
		w.began, w.said = time.Time{}, time.Time{}
		w.check.Ready()
		return
	}
	if w.began.IsZero() {
		w.began = now
	}
	what := sayLags(lags)
	w.check.NotReady("a seal waits for ingest to store " + what)
	if !w.said.IsZero() && now.Sub(w.said) < waitingEvery {
		return
	}
	say := w.log.Warn
	if w.said.IsZero() {
		say = w.log.Info // most waits are over soon
	}
	w.said = now
	say("seal waits for ingest", "lagging", what, "waited", now.Sub(w.began).Round(time.Second))
}

// sayLags names the first of them, and how many more there are.
func sayLags(lags []Lag) string {
	const most = 10
	said := make([]string, min(len(lags), most))
	for i := range said {
		said[i] = lags[i].String()
	}
	if more := len(lags) - most; more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, ", ")
}
