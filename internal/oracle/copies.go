package oracle

import (
	"cmp"

	"github.com/reckon-billing/reckon/schemas"
)

// choose picks of every identity the copy that counts and says what the others
// are (contract 2, identity).
func choose(copies []Copy, cutoffs []schemas.Cutoff) ([]*Copy, Counts) {
	type identity struct{ source, id string }
	groups := map[identity][]*Copy{}
	for i := range copies {
		key := identity{copies[i].Source, copies[i].ID}
		groups[key] = append(groups[key], &copies[i])
	}
	counting := make([]*Copy, 0, len(groups))
	counts := Counts{Stored: int64(len(groups))}
	for _, group := range groups {
		chosen := group[0]
		for _, c := range group[1:] {
			if ranksBefore(c, chosen, cutoffs) {
				chosen = c
			}
		}
		counting = append(counting, chosen)
		for _, c := range group {
			switch {
			case c == chosen:
			case sameFacts(&c.Event, &chosen.Event):
				counts.Duplicate++
			default:
				counts.Conflicting++
			}
		}
	}
	return counting, counts
}

// ranksBefore tells whether a counts rather than b: the copy inside the earliest
// seal's cutoff, then the lowest by (Kafka timestamp, topic, partition, offset).
func ranksBefore(a, b *Copy, cutoffs []schemas.Cutoff) bool {
	return cmp.Or(
		cmp.Compare(sealedBy(a, cutoffs), sealedBy(b, cutoffs)),
		a.KafkaTime.Compare(b.KafkaTime),
		schemas.ComparePositions(a.Position, b.Position),
	) < 0
}

// sealedBy is the index of the earliest seal that saw the copy, or one past the
// last when none did.
func sealedBy(c *Copy, cutoffs []schemas.Cutoff) int {
	for i, cutoff := range cutoffs {
		for _, p := range cutoff {
			if p.Topic == c.Position.Topic && p.Partition == c.Position.Partition && c.Position.Offset < p.End {
				return i
			}
		}
	}
	return len(cutoffs)
}

// sameFacts tells a duplicate from a conflict: type, subject, time, sequence and
// data, numbers by value.
func sameFacts(a, b *schemas.Event) bool {
	sameCoupon := a.Coupon == nil && b.Coupon == nil ||
		a.Coupon != nil && b.Coupon != nil &&
			a.Coupon.Code == b.Coupon.Code && a.Coupon.Value.Equal(b.Coupon.Value)
	return a.Type == b.Type && a.AccountID == b.AccountID && a.ResourceID == b.ResourceID &&
		a.Time.Equal(b.Time) && a.Sequence == b.Sequence &&
		a.Mode == b.Mode && a.ResourceName == b.ResourceName && a.Product == b.Product && a.Service == b.Service &&
		(a.Items == nil) == (b.Items == nil) && schemas.EqualItems(a.Items, b.Items) && sameCoupon &&
		a.ExpiresAt.Equal(b.ExpiresAt) && a.AutoRenew == b.AutoRenew &&
		a.Item == b.Item && a.Value.Equal(b.Value)
}
