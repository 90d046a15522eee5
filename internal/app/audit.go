package app

import (
	"github.com/reckon-billing/reckon/internal/audit"
)

// Auditor verifies and explains what the installation issued.
func (a *App) Auditor() *audit.Auditor {
	return &audit.Auditor{
		RunLog: a.Store, Invoices: a.Store, Proofs: a.Store, Offsets: a.Store, Log: a.Kafka, Events: a.Store, Resources: a.Store,
		Currency: a.Currency(), Zone: a.Config.Billing.Location,
	}
}
