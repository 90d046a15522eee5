package audit

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/schemas"
)

// spoiler makes some snapshots unreadable, the same ones whenever they are read.
func spoiler(seed int64, share uint64, spoiled map[string]int) func(*schemas.Snapshot) {
	return func(s *schemas.Snapshot) {
		h := fnv.New64a()
		_, _ = fmt.Fprintf(h, "%d %s/%s %s", seed, s.AccountID, s.ResourceID, s.At)
		n := h.Sum64()
		if n%10 >= share || s.State == "" {
			return
		}
		what := "resource"
		if s.ResourceID == "" {
			what = "account"
		}
		spoiled[what]++
		ways := []string{"\x00", "{", "\x63" + s.State[1:], s.State[:1], s.State[:len(s.State)/2], s.State[:len(s.State)-1], s.State + "\x01"}
		s.State = ways[n/10%uint64(len(ways))]
		// What it says besides is of no use without the state.
		s.CouponUsed, s.UsedBefore = decimal.Zero, decimal.Zero
	}
}

// A snapshot that cannot be read counts as absent: whichever are unreadable, what is
// issued is what would have been, to the last byte, and so are the snapshots that follow.
func TestUnreadableSnapshotsChangeNothingThatIsIssued(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	spoiled := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		all, first := histories.Drawn(t, z)
		clean, broken := newMemory(), newMemory()
		broken.spoil = spoiler(rapid.Int64().Draw(t, "seed"), rapid.Uint64Range(1, 10).Draw(t, "tenths spoiled"), spoiled)
		month := first
		for range rapid.IntRange(2, 4).Draw(t, "seals") {
			n := rapid.IntRange(0, len(all)).Draw(t, "stored before the seal")
			arrived := all[:n]
			all = all[n:]
			for _, m := range []*memory{clean, broken} {
				m.copies = append(m.copies, arrived...)
				if _, err := sealer(m, z, first).Seal(context.Background(), month); err != nil {
					t.Fatalf("seal %s: %v", month, err)
				}
			}
			month = month.Next()
		}
		if got, want := broken.dump(), clean.dump(); got != want {
			t.Fatalf("issued with unreadable snapshots\n%s\nand without\n%s", got, want)
		}
		if !maps.Equal(broken.minutes, clean.minutes) {
			t.Fatalf("item-minutes with unreadable snapshots %v, and without %v", broken.minutes, clean.minutes)
		}
		for k, want := range clean.snapshots {
			if got := broken.snapshots[k]; got.State != want.State || !got.CouponUsed.Equal(want.CouponUsed) || !got.UsedBefore.Equal(want.UsedBefore) {
				t.Fatalf("the snapshot of %+v\n got %+v\nwant %+v", k, got, want)
			}
		}
		for k, extra := range broken.snapshots {
			if _, expected := clean.snapshots[k]; !expected && !extra.Deleted {
				t.Fatalf("a snapshot %+v that there would not have been: %+v", k, extra)
			}
		}
	})
	if spoiled["account"] == 0 || spoiled["resource"] == 0 {
		t.Errorf("spoiled %v: nothing was tried", spoiled)
	}
}
