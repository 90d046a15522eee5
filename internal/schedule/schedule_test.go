package schedule

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

// table is jobs named by their specs.
func table(t testing.TB, z *time.Location, start time.Time, specs ...string) Table {
	t.Helper()
	var jobs Table
	for _, spec := range specs {
		when, err := Parse(spec, z, start)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, Job{spec, when})
	}
	return jobs
}

// says writes ticks as "instant spec".
func says(jobs Table, from, to time.Time) []string {
	var out []string
	for tick := range jobs.Due(from, to) {
		out = append(out, tick.At.Format(time.RFC3339)+" "+tick.Job)
	}
	return out
}

func TestDue(t *testing.T) {
	const daily, atTwo, halfPastOne = "0 0 * * *", "30 2 * * *", "30 1 * * *"
	for _, c := range []struct {
		name, zone, start string
		specs             []string
		from, to          string
		want              []string
	}{
		{
			name: "from is in it and to is not", zone: "UTC", specs: []string{"*/5 * * * *"},
			from: "2026-10-01T00:05:00Z", to: "2026-10-01T00:15:00Z",
			want: []string{"2026-10-01T00:05:00Z */5 * * * *", "2026-10-01T00:10:00Z */5 * * * *"},
		},
		{
			name: "just after an instant it is over", zone: "UTC", specs: []string{"*/5 * * * *"},
			from: "2026-10-01T00:05:00.000000001Z", to: "2026-10-01T00:10:00.000000001Z",
			want: []string{"2026-10-01T00:10:00Z */5 * * * *"},
		},
		{
			name: "an empty stretch, and one that goes back", zone: "UTC", specs: []string{"* * * * *"},
			from: "2026-10-01T00:05:00Z", to: "2026-10-01T00:05:00Z",
		},
		{
			name: "what nobody was awake for comes due all the same", zone: "Asia/Ho_Chi_Minh", specs: []string{daily},
			from: "2026-10-01T12:00:00+07:00", to: "2026-10-04T12:00:00+07:00",
			want: []string{"2026-10-02T00:00:00+07:00 " + daily, "2026-10-03T00:00:00+07:00 " + daily, "2026-10-04T00:00:00+07:00 " + daily},
		},
		{
			name: "two jobs at one instant come in the order of the table", zone: "UTC", specs: []string{"@hourly", "*/30 * * * *"},
			from: "2026-10-01T00:30:00Z", to: "2026-10-01T01:30:00Z",
			want: []string{"2026-10-01T00:30:00Z */30 * * * *", "2026-10-01T01:00:00Z @hourly", "2026-10-01T01:00:00Z */30 * * * *"},
		},
		{
			name: "and in the other order of the table in that", zone: "UTC", specs: []string{"*/30 * * * *", "@hourly"},
			from: "2026-10-01T01:00:00Z", to: "2026-10-01T01:00:01Z",
			want: []string{"2026-10-01T01:00:00Z */30 * * * *", "2026-10-01T01:00:00Z @hourly"},
		},
		{
			name: "an hour that the clock leaves out has no ticks", zone: "America/New_York", specs: []string{atTwo},
			from: "2026-03-07T12:00:00Z", to: "2026-03-10T00:00:00Z",
			want: []string{"2026-03-09T02:30:00-04:00 " + atTwo},
		},
		{
			name: "an hour that the clock repeats has them twice", zone: "America/New_York", specs: []string{halfPastOne},
			from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z",
			want: []string{"2026-11-01T01:30:00-04:00 " + halfPastOne, "2026-11-01T01:30:00-05:00 " + halfPastOne},
		},
		{
			name: "every half hour goes on through the repeated hour", zone: "America/New_York", specs: []string{"*/30 * * * *"},
			from: "2026-11-01T01:30:00-04:00", to: "2026-11-01T02:00:00-05:00",
			want: []string{
				"2026-11-01T01:30:00-04:00 */30 * * * *", "2026-11-01T01:00:00-05:00 */30 * * * *", "2026-11-01T01:30:00-05:00 */30 * * * *",
			},
		},
		{
			name: "a zone off by three quarters of an hour", zone: "Asia/Kathmandu", specs: []string{"0 0 1 * *"},
			from: "2026-10-01T00:00:00Z", to: "2026-12-01T00:00:00Z",
			want: []string{"2026-11-01T00:00:00+05:45 0 0 1 * *", "2026-12-01T00:00:00+05:45 0 0 1 * *"},
		},
		{
			name: "every so often is counted from the start", zone: "UTC", start: "2026-10-01T00:00:07.5Z", specs: []string{"@every 90s"},
			from: "2026-10-01T00:00:00Z", to: "2026-10-01T00:05:00Z",
			want: []string{"2026-10-01T00:01:37Z @every 90s", "2026-10-01T00:03:07Z @every 90s", "2026-10-01T00:04:37Z @every 90s"},
		},
		{
			name: "no jobs", zone: "UTC",
			from: "2026-10-01T00:00:00Z", to: "2027-10-01T00:00:00Z",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Time{}
			if c.start != "" {
				start = at(t, c.start)
			}
			jobs := table(t, zone(t, c.zone), start, c.specs...)
			if got := says(jobs, at(t, c.from), at(t, c.to)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := says(jobs, at(t, c.to), at(t, c.from)); c.from != c.to && len(got) > 0 {
				t.Errorf("backwards %q come due", got)
			}
		})
	}
}

func TestASpecThatCannotBeReadIsNamed(t *testing.T) {
	if _, err := Parse("0 0 * *", time.UTC, time.Time{}); err == nil {
		t.Error("four fields are a schedule")
	}
}

// A schedule that never comes again ends the list.
func TestWhatNeverComesIsNotWaitedFor(t *testing.T) {
	jobs := table(t, time.UTC, time.Time{}, "0 0 30 2 *", "@yearly")
	if got := says(jobs, at(t, "2026-10-01T00:00:00Z"), at(t, "2027-10-01T00:00:00Z")); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

// However a stretch is cut, and whatever happens to the clock in it, its parts
// list together what the whole lists: no tick is lost and none is doubled.
func TestPartsListWhatTheWholeLists(t *testing.T) {
	zones := []string{"UTC", "Asia/Ho_Chi_Minh", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Beirut"}
	specs := []string{"*/5 * * * *", "0 0 * * *", "30 2 * * *", "15 0 1 * *", "@every 7m", "@every 1h0m1s", "@hourly", "0 1 * * 0"}
	rapid.Check(t, func(r *rapid.T) {
		z := zone(t, rapid.SampledFrom(zones).Draw(r, "zone"))
		instant := rapid.Int64Range(1_500_000_000_000_000_000, 1_800_000_000_000_000_000)
		start := time.Unix(0, instant.Draw(r, "start"))
		jobs := table(t, z, start, rapid.SliceOfNDistinct(rapid.SampledFrom(specs), 1, 4, rapid.ID[string]).Draw(r, "specs")...)
		from := time.Unix(0, instant.Draw(r, "from"))
		to := from.Add(time.Duration(rapid.Int64Range(0, int64(72*time.Hour)).Draw(r, "length")))
		whole := slices.Collect(jobs.Due(from, to))
		cuts := []time.Time{from, to}
		for range rapid.IntRange(0, 5).Draw(r, "cuts") {
			cut := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))).Draw(r, "cut")))
			if len(whole) > 0 && rapid.Bool().Draw(r, "at a tick") {
				cut = rapid.SampledFrom(whole).Draw(r, "tick").At
			}
			cuts = append(cuts, cut)
		}
		slices.SortFunc(cuts, time.Time.Compare)
		var parts []Tick
		for i := range cuts[1:] {
			parts = append(parts, slices.Collect(jobs.Due(cuts[i], cuts[i+1]))...)
		}
		if !slices.EqualFunc(parts, whole, func(a, b Tick) bool { return a.Job == b.Job && a.At.Equal(b.At) }) {
			r.Fatalf("parts list %v, the whole %v", parts, whole)
		}
		if !slices.IsSortedFunc(whole, func(a, b Tick) int { return a.At.Compare(b.At) }) {
			r.Fatalf("not in order: %v", whole)
		}
	})
}
