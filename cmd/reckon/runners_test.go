package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// R1, R2, R3, O5: as the law over the memory has it, on the real engines: several runners do
// different commands at once, taking turns from write to write; some die between two, an
// account is mended meanwhile, and events arrive. What then stands is what one runner
// makes of the same runs, in the largest batches.
func TestRunnersAtOnceOnTheEngines(t *testing.T) {
	s := &servers{endpoints: embeddedtest.Start(t).Endpoints()}
	alone := newArena(t, s)
	t.Run("R1: two that seal different months at once", func(t *testing.T) { testMonthsAtOnce(t, newArena(t, s)) })
	t.Run("R2: two first seals at once by different settings", func(t *testing.T) { testFirstSealsAtOnce(t, newArena(t, s)) })
	t.Run("R3: two that finish a mended account, and one dies", func(t *testing.T) { testMendedAtOnce(t, newArena(t, s)) })
	t.Run("any", func(t *testing.T) {
		fewChecks(t, 30)
		wanted := standings{arena: alone, known: map[string]string{}}
		for n := range 2 {
			a := newArena(t, s)
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(r *rapid.T) { a.any(r, &wanted) })
			})
		}
	})
}

// fewChecks makes the checks of the test fewer than rapid's default, unless the command
// line asks for a number.
func fewChecks(t *testing.T, n int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if before != checks.DefValue {
		return
	}
	if err := checks.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Value.Set(before) }) // it was one
}

// The months of the arena: 31, 30 and 31 days of 43,200 a 30 days.
func oct() schemas.Month { return schemas.Month{Year: 2024, Month: time.October} }
func nov() schemas.Month { return oct().Next() }
func dec() schemas.Month { return nov().Next() }

// arena is an installation whose events are all stored, and a log that ends where a
// test says: what lies behind has not arrived.
type arena struct {
	*installation
	t     *testing.T
	store *clickhouse.Store
	vn    *time.Location

	mu     sync.Mutex
	ends   int64
	broken string
	floor  *floor
	// rows are those of a batch, 0 for as many as ever.
	rows int
}

// arrived are the events that are there from the beginning; the others come late.
const arrived = 4

func newArena(t *testing.T, s *servers) *arena {
	t.Helper()
	a := &arena{installation: s.install(), t: t, vn: zone(t)}
	a.store = a.connect(t).Store
	if _, err := a.store.Migrate(t.Context(), a.now()); err != nil {
		t.Fatal(err)
	}
	story := chapters(t, []string{
		createdLine("r1", "2024-10-01T00:00:00+07:00"), createdLine("r2", "2024-10-16T00:00:00+07:00"),
		prepaidLine("r3", "2024-10-05T00:00:00+07:00", "2024-11-05T00:00:00+07:00"),
		createdFor("b", "r1", "2024-10-11T00:00:00+07:00", "43200"),
		deletedFor("a", "r2", "2024-10-26T00:00:00+07:00"), deletedFor("b", "r1", "2024-11-16T00:00:00+07:00"),
		`{"seal":"2024-10"}`,
	})
	batch := a.store.Open()
	for _, e := range story[0].events {
		if err := batch.Accept(&e.event, &e.message); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Store(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.reset(t)
	return a
}

func prepaidLine(resource, at, expires string) string {
	return strings.Replace(createdLine(resource, at), `"mode":"postpaid"`, `"mode":"prepaid","expires_at":"`+expires+`"`, 1)
}

// Ends and Stored make it a log.
func (a *arena) Ends(context.Context) ([]schemas.PartitionEnd, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []schemas.PartitionEnd{{Topic: "billing.lifecycle", End: a.ends}}, nil
}

func (a *arena) Stored(ctx context.Context) ([]schemas.PartitionEnd, error) { return a.Ends(ctx) }

// reset is an arena in which nothing was sealed yet.
func (a *arena) reset(t testing.TB) {
	for table := range strings.Lines(a.ask(t, "SELECT DISTINCT table FROM system.parts WHERE active AND database = '{db}' FORMAT TSV")) {
		if table = strings.TrimSpace(table); slices.Contains(issuedTables(t), table) {
			a.ask(t, "TRUNCATE TABLE {db}."+table)
		}
	}
	a.ends, a.broken, a.floor, a.rows = arrived, "", newFloor(), 0
}

// runner is an invoicer on the store. What it issues at one end of the log is of one
// instant, so that runs of one cutoff are the same whoever notes them.
func (a *arena) runner(store *breaking) *invoicer.Invoicer {
	return &invoicer.Invoicer{
		Log: a, RunLog: store, Late: store, Invoices: store, Periods: mending{&aggregate.Deriver{Source: a.store, Zone: a.vn}, a},
		Currency: vnd, Zone: a.vn, FirstMonth: oct(), BatchRows: a.rows, Now: func() time.Time {
			a.mu.Lock()
			defer a.mu.Unlock()
			return time.Date(2025, 1, 10, 0, int(a.ends), 0, 0, time.UTC)
		},
	}
}

// mending derives what is broken with an error.
type mending struct {
	*aggregate.Deriver
	a *arena
}

func (m mending) Derive(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	return m.Deriver.Derive(ctx, plan, func(d schemas.Derived) error {
		m.a.mu.Lock()
		broken := m.a.broken == d.AccountID+"/"+d.ResourceID
		m.a.mu.Unlock()
		if broken {
			d.Err = errors.New("unreadable")
		}
		return yield(d)
	})
}

// enter lets a runner come, whose settings may be other ones, to seal a month or, for
// none, to settle all.
func (a *arena) enter(month schemas.Month, other func(*invoicer.Invoicer)) *entrant {
	name := "seal " + month.String()
	if month.IsZero() {
		name = "settle all"
	}
	return a.floor.enter(name, func(e *entrant) error {
		store := &breaking{Store: a.store, breaks: e.waits}
		v := a.runner(store)
		if other != nil {
			other(v)
		}
		var err error
		if month.IsZero() {
			_, err = v.SettleAll(context.Background())
		} else {
			_, err = v.Seal(context.Background(), month)
		}
		return err
	})
}

// finish is a last runner, who seals all there is.
func (a *arena) finish(t interface{ Fatalf(string, ...any) }, last schemas.Month) {
	a.mu.Lock()
	a.broken = ""
	a.mu.Unlock()
	v := a.runner(&breaking{Store: a.store, breaks: func(int, string) failure { return never }})
	if _, err := v.Seal(context.Background(), last); err != nil {
		t.Fatalf("a last runner: %v\n%s", err, a.floor)
	}
}

// total is what the invoices of a month come to; lines are their lines.
func (a *arena) total(t testing.TB, month schemas.Month) (total, lines string) {
	return strings.TrimSpace(a.ask(t, "SELECT sum(total_amount) FROM {db}.invoice_rows WHERE month = '"+month.String()+"'")),
		strings.TrimSpace(a.ask(t, "SELECT count() FROM {db}.invoice_rows WHERE month = '"+month.String()+"'"))
}

func testMonthsAtOnce(t *testing.T, a *arena) {
	a.finish(t, oct())
	a.ends++
	december, october := a.enter(dec(), nil), a.enter(oct(), nil)
	a.floor.play([]visit{{december, 1, "", never}, {october, 2, "", never}})
	if december.err != nil || october.err != nil {
		t.Fatalf("ended with %v and %v", december.err, october.err)
	}
	// r1 has 31 days, r2 10 after the late deletion, and b 21 with 10 % tax.
	for month, want := range map[schemas.Month]string{oct(): "44640 + 14400 + 33264", nov(): "43200 + 47520", dec(): "44640 + 49104"} {
		total, _ := a.total(t, month)
		if total != strings.TrimSpace(a.ask(t, "SELECT "+want)) {
			t.Errorf("of %s %s is invoiced, want %s\n%s", month, total, want, a.floor)
		}
	}
	a.issuedOnce(t)
}

func testFirstSealsAtOnce(t *testing.T, a *arena) {
	for name, other := range map[string]func(*invoicer.Invoicer){
		"billing.zone": func(v *invoicer.Invoicer) {
			v.Zone = time.UTC
			v.Periods = &aggregate.Deriver{Source: a.store, Zone: time.UTC}
		},
		"billing.currency":    func(v *invoicer.Invoicer) { v.Currency = schemas.Currency{Code: "JPY"} },
		"billing.first_month": func(v *invoicer.Invoicer) { v.FirstMonth = nov() },
	} {
		for i, first := range []string{"ours", "the other"} {
			t.Run(name+", "+first+" first", func(t *testing.T) {
				a.reset(t)
				both := []*entrant{a.enter(nov(), nil), a.enter(nov(), other)}
				a.floor.play([]visit{{both[0], 1, "", never}, {both[1], 1, "", never}, {both[i], 1, "", never}})
				var refused *invoicer.SettingError
				if err := both[1-i].err; !errors.As(err, &refused) || refused.Setting != name {
					t.Errorf("who came second ended with %v", err)
				}
				if both[i].err != nil {
					t.Error(both[i].err)
				}
				if n := a.ask(t, "SELECT uniqExact(resource_id, account_id, month) - count() FROM {db}.invoices FINAL"); n != "0\n" {
					t.Errorf("%s invoices too many\n%s", strings.TrimSpace(n), a.floor)
				}
				a.issuedOnce(t)
			})
		}
	}
}

func testMendedAtOnce(t *testing.T, a *arena) {
	for killed, done := 1, false; !done; killed++ {
		for _, how := range []failure{before, after} {
			t.Run(fmt.Sprintf("at write %d (%d)", killed, how), func(t *testing.T) {
				a.reset(t)
				a.broken = "a/r1"
				if _, err := a.runner(&breaking{Store: a.store, breaks: func(int, string) failure { return never }}).Seal(t.Context(), oct()); err != nil {
					t.Fatal(err)
				}
				a.broken = ""
				lives, dies := a.enter(oct(), nil), a.enter(oct(), nil)
				a.floor.play([]visit{{dies, 1, "", never}, {lives, 100, "the other headers", never}, {dies, killed - 1, "", how}})
				done = !errors.Is(dies.err, errBroke)
				if lives.err != nil {
					t.Errorf("who lives ended with %v\n%s", lives.err, a.floor)
				}
				// Of r1 31 days of 43,200, of r2 16; of b 21 days and tax.
				if total, lines := a.total(t, oct()); total != fmt.Sprint(44_640+23_040+33_264) || lines != "3" {
					t.Errorf("%s in %s lines\n%s", total, lines, a.floor)
				}
				a.issuedOnce(t)
				a.finish(t, nov())
				if total, _ := a.total(t, nov()); total != fmt.Sprint(43_200+43_200+47_520) {
					t.Errorf("in the month after it %s", total)
				}
			})
		}
	}
}

// standings are what one runner makes of runs.
type standings struct {
	*arena
	mu    sync.Mutex
	known map[string]string
}

// of is what stands after the runs of another arena.
func (w *standings) of(r *rapid.T, runs []schemas.Run, others *arena) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := fmt.Sprintf("%+v", runs)
	if text, known := w.known[key]; known {
		return text
	}
	w.reset(w.t)
	w.ends = others.ends
	for _, run := range runs {
		if _, err := w.store.AddRun(context.Background(), run); err != nil {
			r.Fatal(err)
		}
	}
	w.finish(r, runs[len(runs)-1].Month)
	w.known[key] = w.standing(w.t)
	return w.known[key]
}

// any plays a drawn scene and compares.
func (a *arena) any(r *rapid.T, wanted *standings) {
	a.reset(a.t)
	a.rows = rapid.SampledFrom([]int{0, 1}).Draw(r, "rows of a batch")
	if rapid.Bool().Draw(r, "broken") {
		a.broken = rapid.SampledFrom([]string{"a/r1", "a/r2", "b/r1"}).Draw(r, "what")
	}
	if rapid.Bool().Draw(r, "October is sealed") {
		_, _ = a.runner(&breaking{Store: a.store, breaks: func(int, string) failure { return never }}).Seal(context.Background(), oct())
	}
	last := oct()
	for range rapid.IntRange(2, 3).Draw(r, "runners") {
		var other func(*invoicer.Invoicer)
		if rapid.IntRange(0, 4).Draw(r, "by other settings") == 4 {
			other = func(v *invoicer.Invoicer) { v.FirstMonth = nov() }
		}
		month := rapid.SampledFrom([]schemas.Month{oct(), oct(), nov(), nov(), dec(), {}}).Draw(r, "month")
		if last.Before(month) {
			last = month
		}
		a.enter(month, other)
	}
	a.floor.enter("an operator", func(e *entrant) error {
		e.waits(0, "mends the account")
		a.mu.Lock()
		defer a.mu.Unlock()
		a.broken = ""
		return nil
	})
	a.floor.enter("the log", func(e *entrant) error {
		e.waits(0, "grows")
		a.mu.Lock()
		defer a.mu.Unlock()
		a.ends += 2
		return nil
	})
	visits := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) visit {
		return visit{
			who:    a.floor.entrants[rapid.IntRange(0, len(a.floor.entrants)-1).Draw(r, "who")],
			writes: rapid.SampledFrom([]int{0, 1, 2, 3, 5, 8, 13}).Draw(r, "writes"),
			then:   rapid.SampledFrom([]failure{never, never, never, before, after}).Draw(r, "then"),
		}
	}), 0, 8).Draw(r, "visits")
	a.floor.play(visits)
	for _, e := range a.floor.entrants {
		var refused *invoicer.SettingError
		early := errors.Is(e.err, invoicer.ErrNothingSealed) && strings.HasSuffix(e.name, "settle all")
		if e.err != nil && !errors.Is(e.err, errBroke) && !errors.As(e.err, &refused) && !early {
			r.Fatalf("%s ended with %v\n%s", e.name, e.err, a.floor)
		}
	}
	a.wholeHeaders(r)
	runs, err := a.store.Runs(context.Background())
	if err != nil {
		r.Fatal(err)
	}
	if len(runs) > 0 && runs[0].FirstMonth != oct() {
		return // the other settings won: the law over the memory goes on with them
	}
	a.finish(r, last)
	if runs, err = a.store.Runs(context.Background()); err != nil {
		r.Fatal(err)
	}
	if got, want := a.standing(a.t), wanted.of(r, runs, a); got != want {
		r.Fatalf("stands\n%s\nand one runner makes of the same runs\n%s\n%s", got, want, a.floor)
	}
}

// wholeHeaders holds that every invoice has its lines.
func (a *arena) wholeHeaders(r *rapid.T) {
	const lacking = "SELECT code, lines, count() FROM {db}.invoices AS h FINAL LEFT JOIN {db}.invoice_rows AS l ON l.invoice_code = h.code " +
		"GROUP BY code, lines HAVING countIf(l.item != '') != lines"
	if lacks := a.ask(a.t, lacking); lacks != "" {
		r.Fatalf("these invoices have other lines than their headers tell:\n%s%s", lacks, a.floor)
	}
}

func issuedTables(t testing.TB) []string {
	t.Helper()
	tables, _, err := migrations.Made()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, table := range tables {
		switch table {
		case "schema_migrations", "events", "identities", "dead_letters", "dead_letter_replays", "logs", "log_notes", "log_marks", "installation",
			"surveys", "survey_anomalies", "survey_resources":
		default:
			out = append(out, table)
		}
	}
	return out
}

// standing is all that counts of what seals left: of several seals of a run and hashes
// of a month those that hold.
func (a *arena) standing(t testing.TB) string {
	var b strings.Builder
	for _, table := range issuedTables(t) {
		text := "SELECT * FROM {db}." + table + " FINAL ORDER BY ALL"
		switch table {
		case "seals":
			text = "SELECT * EXCEPT (sealed_at, proof) FROM {db}.seals FINAL ORDER BY run, length(parked_accounts), sealed_at DESC LIMIT 1 BY run"
		case "month_hashes":
			text = "SELECT * FROM {db}.month_hashes FINAL ORDER BY month, run, invoices DESC LIMIT 1 BY month, run"
		}
		fmt.Fprintf(&b, "== %s\n%s", table, a.ask(t, text+" FORMAT TSV"))
	}
	return b.String()
}
