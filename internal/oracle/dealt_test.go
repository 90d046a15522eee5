package oracle

import (
	"testing"

	"pgregory.net/rapid"
)

// TestAskingFewMinutesIsAskingAll: dealing out minutes in runs is the same as
// asking for every single minute who owns it.
func TestAskingFewMinutesIsAskingAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stretches []stretch
		at := rapid.Int64Range(-3*msPerMinute, 3*msPerMinute).Draw(t, "begin")
		for range rapid.IntRange(0, 12).Draw(t, "stretches") {
			to := at + rapid.SampledFrom([]int64{0, 1, 10_000, 59_999, msPerMinute, msPerMinute + 1, 5 * msPerMinute}).Draw(t, "long")
			stretches = append(stretches, stretch{at, to, status{alive: true, running: rapid.Bool().Draw(t, "running")}})
			at = to + rapid.SampledFrom([]int64{0, 0, 1, 20_000, msPerMinute, 3 * msPerMinute}).Draw(t, "gap")
		}
		runs := dealt(stretches)
		for minute := int64(-5); minute <= minuteOf(at)+2; minute++ {
			var of *stretch
			for _, r := range runs {
				if r.from <= minute && minute < r.to {
					of = r.of
				}
			}
			if want := owner(stretches, minute); of != want {
				t.Fatalf("minute %d: got %+v, want %+v", minute, of, want)
			}
		}
	})
}
