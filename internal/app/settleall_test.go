package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// L3: a month was sealed while the store lacked rows of what it had noted as stored, as a
// restored one may. They are no late events when they are back, since they lie before the
// cutoff: whoever settles all finds them, and settles them once.
func TestWhatTheStoreLackedWhenAMonthWasSealedIsSettledWhenAllIs(t *testing.T) {
	l := newLife(t)
	if _, _, err := l.settleAll(false); !errors.Is(err, invoicer.ErrNothingSealed) {
		t.Fatalf("before the first seal: %v", err)
	}
	l.startIngest()
	l.send(lifecycle, event("c1", "resource.created", "r1", "2026-09-01", machine), event("c2", "resource.created", "r2", "2026-09-01", machine))
	l.send(usage, used("u1", "r1", "2026-09-02", 500))
	l.settle()
	l.query("CREATE TABLE saved_events AS events")
	l.query("INSERT INTO saved_events SELECT * FROM events WHERE is_usage OR resource_id = 'r2'")
	l.query("DELETE FROM events WHERE is_usage OR resource_id = 'r2'")
	l.seal("2026-09")
	l.expect("2026-09", map[string]int64{"r1 invoice": 43200})
	l.query("INSERT INTO events SELECT * FROM saved_events")
	l.seal("2026-09")
	l.expect("2026-09", map[string]int64{"r1 invoice": 43200})

	settled := map[string]int64{"r1 invoice": 43200, "r1 adjustment": 500, "r2 adjustment": 43200}
	shown, _, err := l.settleAll(true)
	if err != nil || strings.Join(shown, " ") != "r1 adjustment 500 r2 adjustment 43200" {
		t.Fatalf("it would issue %q, %v", shown, err)
	}
	for _, want := range []int64{2, 0} {
		_, seals, err := l.settleAll(false)
		if err != nil || len(seals) != 1 || seals[0].Totals.Adjustments != want {
			t.Fatalf("settled %+v, %v, want %d adjustments", seals, err, want)
		}
		l.expect("2026-09", settled)
	}
}

// settleAll settles every month that is sealed, or shows what that would issue.
func (l *life) settleAll(show bool) (shown []string, seals []Seal, err error) {
	l.Helper()
	s, err := l.app.Sealer(nil)
	if err != nil {
		l.Fatal(err)
	}
	if show {
		err = s.PreviewAll(l.Context(), func(h schemas.Invoice, _ []schemas.Line) error {
			shown = append(shown, fmt.Sprintf("%s %s %s", h.ResourceID, h.Kind, h.TotalAmount))
			return nil
		})
		return shown, nil, err
	}
	seals, err = s.SettleAll(l.Context())
	return nil, seals, err
}
