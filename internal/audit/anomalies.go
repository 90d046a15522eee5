package audit

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/schemas"
)

// Anomalies yields the events before a cutoff that cannot apply and are billed
// nothing, over all months; accounts restricts to these, nil for all.
func (a *Auditor) Anomalies(ctx context.Context, cutoff schemas.Cutoff, accounts []string, yield func(schemas.Anomaly) error) error {
	runs, err := a.RunLog.Runs(ctx)
	if err != nil {
		return fmt.Errorf("read the runs: %w", err)
	}
	d := &aggregate.Deriver{Source: a.Events, Zone: a.Zone, Anomalies: yield}
	// A run that nobody records has no number.
	plan := schemas.Derivation{Run: schemas.Run{Cutoff: cutoff}, Earlier: runs, Accounts: accounts}
	if err := d.Survey(ctx, plan); err != nil {
		return fmt.Errorf("list the anomalies: %w", err)
	}
	return nil
}
