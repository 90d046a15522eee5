package fold

import (
	"fmt"
	"math/bits"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// mass is a resource, or an account, with n of something, over October 2026 in UTC.
type mass struct {
	account *Account
	usage   []string
	// at is when usage begins; it comes every millisecond.
	at time.Time
	// events are those of the resource's lifecycle.
	events []schemas.Event
}

func october() (start, end time.Time, month schemas.Month) {
	month = schemas.Month{Year: 2026, Month: time.October}
	return month.Start(time.UTC), month.End(time.UTC), month
}

func newMass() *mass {
	start, end, month := october()
	f := Open(Window{From: start, To: end, Zone: time.UTC, Months: Months{month, month}, Next: month.Next()})
	return &mass{account: f.Account("a"), at: start.AddDate(0, 0, 20)}
}

// add adds a lifecycle event so many minutes after the month's start.
func (m *mass) add(kind schemas.Type, minute int, items ...schemas.Item) *mass {
	start, _, _ := october()
	m.events = append(m.events, schemas.Event{
		Source: "s", ID: fmt.Sprint(len(m.events)), Type: kind, AccountID: "a", ResourceID: "r", Time: start.Add(time.Duration(minute) * time.Minute),
		Lifecycle: schemas.Lifecycle{Mode: schemas.Postpaid, Items: items},
	})
	return m
}

// use adds usage of items of these names, in turn, n in all.
func (m *mass) use(n, names int) *mass {
	for i := range n {
		m.usage = append(m.usage, fmt.Sprint("i", i%names))
	}
	return m
}

// fold folds it, and says how many entries of lists were looked at.
func (m *mass) fold(t testing.TB) (d schemas.Derived, looked int) {
	t.Helper()
	r, err := m.account.Resource("r", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.events {
		r.Apply(&m.events[i], schemas.Position{}, "")
	}
	if err := r.Cut(); err != nil {
		t.Fatal(err)
	}
	one, _ := UnitsOf(decimal.NewFromInt(1))
	at := m.at.UnixMilli()
	for i, item := range m.usage {
		r.Use(item, one, at+int64(i))
	}
	if d = r.Derived(); d.Err != nil {
		t.Fatal(d.Err)
	}
	return d, r.placer.looked + m.account.looked
}

// metered are n metered items, the first i0.
func metered(n int) (items []schemas.Item) {
	for i := range n {
		items = append(items, schemas.Item{
			Name: fmt.Sprint("i", i), Unit: "GB", UnitPrice: decimal.New(1, 0), Meter: schemas.TimeWeighted, Per: schemas.Per30d,
		})
	}
	return items
}

// masses are what a resource can have many of, by what there is n of.
func masses() map[string]func(n int) *mass {
	resized := func(n int) *mass {
		m := newMass().add(schemas.ResourceCreated, 0, metered(1)...)
		for i := range n {
			m.add(schemas.ResourceResized, i, metered(1+i%2)...)
		}
		return m
	}
	return map[string]func(n int) *mass{
		"item names":          func(n int) *mass { return newMass().add(schemas.ResourceCreated, 0, metered(1)...).use(n, n) },
		"rows of many items":  func(n int) *mass { return newMass().add(schemas.ResourceCreated, 0, metered(100)...).use(n, 100) },
		"periods, and usage":  func(n int) *mass { return resized(n).use(n, 2) },
		"usage after periods": func(n int) *mass { return resized(n).add(schemas.ResourceDeleted, n).use(n, 2) },
		"usage between periods": func(n int) *mass {
			return resized(n).add(schemas.ResourceDeleted, n).add(schemas.ResourceRecovered, 29*1440).use(n, 2)
		},
		"mode changes, and lives": func(n int) *mass {
			m := newMass()
			start, _, _ := october()
			for i := range n {
				m.account.Apply(&schemas.Event{Time: start.Add(time.Duration(i) * time.Second), Lifecycle: schemas.Lifecycle{Mode: schemas.Postpaid}}, schemas.Position{})
				m.add(schemas.ResourceCreated, i, metered(1)...).add(schemas.ResourceDeleted, i)
			}
			return m
		},
	}
}

// O9: nothing walks a list for each row: with twice as much of anything twice as many
// entries are looked at, and not four times.
func TestWhatAFoldCostsGrowsWithItsRowsAlone(t *testing.T) {
	for name, of := range masses() {
		const n = 4000
		_, once := of(n).fold(t)
		_, twice := of(2 * n).fold(t)
		if most := 4 * n * bits.Len(n); once > most || twice > 2*once+2*once/5+100 {
			t.Errorf("%s: of %d %d entries are looked at, of %d %d", name, n, once, 2*n, twice)
		}
	}
}

// O9: a snapshot keeps levels of items that are or were metered, whatever else is used.
func TestASnapshotDoesNotGrowWithTheItemsThatAreNotMetered(t *testing.T) {
	of := masses()["item names"]
	few, _ := of(10).fold(t)
	many, _ := of(200_000).fold(t)
	if few.Snapshot.State != many.Snapshot.State || len(many.Snapshot.State) > 300 {
		t.Errorf("with 10 item names it has %d bytes, with 200,000 %d", len(few.Snapshot.State), len(many.Snapshot.State))
	}
}

// BenchmarkMasses says what a row costs, of which there are n: the same for any n.
func BenchmarkMasses(b *testing.B) {
	for name, of := range masses() {
		for _, n := range []int{2_000, 20_000, 200_000} {
			if n > 20_000 && name != "item names" {
				continue // there are not that many minutes
			}
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				m := of(n)
				for b.Loop() {
					m.fold(b)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
			})
		}
	}
}
