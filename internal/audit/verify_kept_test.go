package audit

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

func saigon() *time.Location {
	z, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		panic(err)
	}
	return z
}

// keptInMemory is what the memory keeps, its rows as columns that a test may change.
type keptInMemory[T any] struct {
	rows  []keptTestRow
	table func(*T) tables.Table[T]
	// of tells whether a row is of the month that is asked for; stands, where it is set,
	// whether it still did when a run was sealed.
	of     func(row []Value, month schemas.Month) bool
	stands func(row keptTestRow, month schemas.Month, run int64) bool
}

type keptTestRow struct {
	schemas.ResourceKey
	run    int64
	values []Value
}

func (k *keptInMemory[T]) add(key schemas.ResourceKey, run int64, row *T) {
	t := k.table(row)
	k.rows = append(k.rows, keptTestRow{key, run, append([]Value{{Name: "table", Text: t.Name}}, t.Values(row)...)})
}

// textOfValues is a row as one text: of each value the length, a space, and it.
func textOfValues(row []Value) string {
	var b strings.Builder
	for _, v := range row {
		for _, text := range []string{v.Name, v.Text} {
			b.WriteString(strconv.Itoa(len(text)) + " " + text)
		}
	}
	return b.String()
}

func (k *keptInMemory[T]) Kept(_ context.Context, month schemas.Month, run int64) (schemas.Cursor[KeptRow], error) {
	chosen := slices.DeleteFunc(slices.Clone(k.rows), func(r keptTestRow) bool {
		return r.run > run || !k.of(r.values, month) || k.stands != nil && !k.stands(r, month, run)
	})
	slices.SortStableFunc(chosen, func(a, b keptTestRow) int {
		return cmp.Or(a.Compare(b.ResourceKey), cmp.Compare(a.values[1].Text, b.values[1].Text), cmp.Compare(a.run, b.run))
	})
	var out []KeptRow
	for _, r := range chosen {
		out = append(out, KeptRow{r.ResourceKey, r.run, textOfValues(r.values)})
	}
	return &rows[KeptRow]{out}, nil
}

func (k *keptInMemory[T]) Elsewhere(context.Context, schemas.ResourceKey, schemas.Month, int64) ([]KeptRow, error) {
	return nil, nil
}

func (k *keptInMemory[T]) Form() RowForm[T] { return k }

func (k *keptInMemory[T]) Text(row *T) (string, error) {
	t := k.table(row)
	return textOfValues(append([]Value{{Name: "table", Text: t.Name}}, t.Values(row)...)), nil
}

func (k *keptInMemory[T]) Columns(text string) (all []Value, err error) {
	next := func() string {
		length, rest, _ := strings.Cut(text, " ")
		n, broken := strconv.Atoi(length)
		err = errors.Join(err, broken)
		text = rest[n:]
		return rest[:n]
	}
	for text != "" {
		all = append(all, Value{Name: next(), Text: next()})
	}
	return all, err
}

// keptBy is what the runs in memory kept.
type keptBy struct {
	periods   keptInMemory[schemas.Period]
	snapshots keptInMemory[schemas.Snapshot]
	minutes   keptInMemory[schemas.ResourceMinutes]
	anomalies keptInMemory[schemas.Anomaly]
}

func (m *memory) kept() *keptBy {
	ofMonth := func(row []Value, month schemas.Month) bool { return row[1].Text == month.String() }
	k := &keptBy{
		periods: keptInMemory[schemas.Period]{of: ofMonth, table: func(*schemas.Period) tables.Table[schemas.Period] { return tables.Periods() }},
		minutes: keptInMemory[schemas.ResourceMinutes]{of: ofMonth, table: func(*schemas.ResourceMinutes) tables.Table[schemas.ResourceMinutes] { return tables.ItemMinutes() }},
		snapshots: keptInMemory[schemas.Snapshot]{
			of: func(row []Value, month schemas.Month) bool {
				return row[1].Text == month.String() || row[0].Text == tables.Tombstones().Name && row[1].Text < month.String()
			},
			table: func(s *schemas.Snapshot) tables.Table[schemas.Snapshot] {
				if s.Deleted {
					return tables.Tombstones()
				}
				return tables.Edges()
			},
		},
	}
	k.anomalies = keptInMemory[schemas.Anomaly]{
		of: ofMonth, table: func(*schemas.Anomaly) tables.Table[schemas.Anomaly] { return tables.RunAnomalies() },
		stands: func(r keptTestRow, month schemas.Month, run int64) bool {
			last := m.runs[slices.IndexFunc(m.runs, func(s schemas.Run) bool { return !s.Month.Before(month) })].Number
			for number, touched := range m.touched {
				if number <= run && touched[[2]string{r.AccountID, r.ResourceID}] {
					last = max(last, number)
				}
			}
			return r.run == last
		},
	}
	for _, a := range m.anomalies {
		k.anomalies.add(schemas.ResourceKey{AccountID: a.AccountID, ResourceID: a.ResourceID}, a.Run, &a)
	}
	for _, p := range slices.SortedFunc(maps.Values(m.periods), func(a, b schemas.Period) int { return a.Start.Compare(b.Start) }) {
		k.periods.add(schemas.ResourceKey{AccountID: p.AccountID, ResourceID: p.ResourceID}, p.Run, &p)
	}
	for key, s := range m.snapshots {
		k.snapshots.add(schemas.ResourceKey{AccountID: key.account, ResourceID: key.resource}, key.run, &s)
	}
	for key, lived := range m.minutes {
		k.minutes.add(schemas.ResourceKey{AccountID: key.account, ResourceID: key.resource}, key.run, &lived)
	}
	return k
}

// differences is what the check finds of what the runs of a month kept.
func (k *keptBy) differences(t *rapid.T, m *memory, month schemas.Month) []string {
	p := &proof{
		Auditor: &Auditor{Events: m, Zone: saigon(), Currency: vnd, KeptPeriods: &k.periods, KeptSnapshots: &k.snapshots, KeptMinutes: &k.minutes, KeptAnomalies: &k.anomalies, Told: m},
		Proof:   Proof{Month: month}, all: m.runs, runs: map[int64]int{}, room: mostDifferences,
	}
	for i, run := range m.runs {
		p.runs[run.Number] = i
	}
	if err := p.asSealed(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p.Found
}

// sealedInSteps is a random history that was sealed in steps, late events among them.
func sealedInSteps(t *rapid.T) (*memory, schemas.Month) {
	z := saigon()
	all, first := histories.Drawn(t, z)
	m := newMemory()
	month := first
	for len(all) > 0 {
		n := rapid.IntRange(1, len(all)).Draw(t, "stored before the seal")
		m.copies, all = append(m.copies, all[:n]...), all[n:]
		if _, err := sealer(m, z, first).Seal(context.Background(), month); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "next month") && month.Compare(first) < 4 {
			month = month.Next()
		}
	}
	return m, first
}

// T2: whatever the history, the seals and the lateness, periods, item-minutes and
// snapshots are what verify derives of them, however they were derived then.
func TestWhatRunsKeptIsWhatIsDerivedOfIt(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		m, first := sealedInSteps(t)
		k := m.kept()
		for month := first; !m.runs[len(m.runs)-1].Month.Before(month); month = month.Next() {
			if found := k.differences(t, m, month); len(found) > 0 {
				t.Fatalf("%s differs:\n%s", month, strings.Join(found, "\n"))
			}
		}
		compared += len(k.anomalies.rows) + len(k.periods.rows) + len(k.snapshots.rows) + len(k.minutes.rows)
	})
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// T2: of what the run that sealed a month kept of it, whatever column of whatever row is
// changed: it is found.
func TestWhateverIsChangedOfWhatARunKeptIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, _ := sealedInSteps(t)
		k := m.kept()
		run := m.runs[0] // alone of its month, or the first
		var all []*keptTestRow
		for _, rows := range [][]keptTestRow{k.periods.rows, k.snapshots.rows, k.minutes.rows, k.anomalies.rows} {
			for i := range rows {
				r := &rows[i]
				if r.run == run.Number && (r.values[1].Text == run.Month.String() || r.values[1].Text == run.Month.Next().String()) {
					all = append(all, r)
				}
			}
		}
		if len(all) == 0 {
			t.Skip("it kept nothing")
		}
		r := rapid.SampledFrom(all).Draw(t, "row")
		i := rapid.IntRange(1, len(r.values)-1).Draw(t, "column")
		v := &r.values[i]
		v.Text += "~"
		switch v.Name {
		case "account_id":
			r.AccountID = v.Text
		case "resource_id":
			r.ResourceID = v.Text
		case "run":
			r.run = 1_000
		}
		found := k.differences(t, m, run.Month)
		if len(found) == 0 {
			t.Fatalf("column %s of a row of %s of %+v was changed, and nothing was found", v.Name, r.values[0].Text, r.ResourceKey)
		}
	})
}
