package aggregate

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// phase is what a resource is at an instant.
type phase string

const (
	unknown   phase = ""
	running   phase = "running"
	suspended phase = "suspended"
	deleted   phase = "deleted"
)

// state is all that later events of a resource need to know of earlier ones. It
// is what an edge carries, see encode; the tags are those of the form that older
// edges have.
type state struct {
	Phase phase `json:"phase"`
	// Mode, Name, Product and Service are those of the life.
	Mode    schemas.Mode `json:"mode"`
	Name    string       `json:"name"`
	Product string       `json:"product"`
	Service string       `json:"service"`
	// Items is the last configuration, also while suspended or deleted.
	Items   []schemas.Item `json:"items"`
	Balance *balance       `json:"balance,omitempty"`
	// Since is the last created or recovered: a provision_failed at most 24 hours
	// after it makes everything since void.
	Since time.Time `json:"since"`
	// Opened is the event that put the running configuration in force.
	Opened schemas.EventRef `json:"opened"`
	// Levels are the last values of each item in this life (contract 2,
	// time_weighted).
	Levels map[string]decimal.Decimal `json:"levels,omitempty"`
	// Before is what the resource was before Since; nil when it was unknown, or
	// when it is too late for a provision_failed.
	Before *state `json:"before,omitempty"`
}

// balance names a coupon balance: the coupon and the event that brought it.
type balance struct {
	Code   string          `json:"code"`
	Value  decimal.Decimal `json:"value"`
	Source string          `json:"source"`
	ID     string          `json:"id"`
}

func (b *balance) export() *schemas.CouponBalance {
	return &schemas.CouponBalance{Coupon: schemas.Coupon{Code: b.Code, Value: b.Value}, Source: b.Source, ID: b.ID}
}

func (s *state) alive() bool { return s.Phase == running || s.Phase == suspended }

// provisionWindow is how long after created or recovered a provision_failed
// makes them void (contract 3).
const provisionWindow = 24 * time.Hour

// forget drops what no provision_failed from an instant on can go back to.
func (s *state) forget(from time.Time) {
	if from.Sub(s.Since) > provisionWindow {
		s.Before = nil
	}
}

// encode writes the state: equal states have equal bytes.
func (s *state) encode() string {
	e := stateEncoder{}
	e.bytes = append(e.room[:0], stateForm)
	e.state(s)
	return string(e.bytes)
}

func decodeState(encoded string) (state, error) {
	var s state
	if encoded == "" {
		return s, nil
	}
	if encoded[0] == '{' { // as older edges have it
		if err := json.Unmarshal([]byte(encoded), &s); err != nil {
			return state{}, fmt.Errorf("decode state: %w", err)
		}
	} else {
		d := stateDecoder{rest: encoded[1:], failed: encoded[0] != stateForm}
		d.state(&s)
		if d.failed || d.rest != "" {
			return state{}, fmt.Errorf("decode state: %d bytes that are none", len(encoded))
		}
	}
	switch s.Phase {
	case running, suspended, deleted:
		return s, nil
	case unknown:
	}
	return state{}, fmt.Errorf("decode state: phase %q", s.Phase)
}
