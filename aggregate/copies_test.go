package aggregate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/schemas"
)

// cutRows hands out copies of usage in order, as many at once as it is told.
type cutRows struct {
	copies []Copy
	cuts   []int
	rows   Rows
}

func (c *cutRows) Next() (*Rows, error) {
	if len(c.copies) == 0 {
		c.rows = Rows{} // nobody may still look at it
		return nil, io.EOF
	}
	n := 1
	for n < min(c.cuts[0], len(c.copies)) && c.copies[n].ResourceID == c.copies[0].ResourceID {
		n++
	}
	part := partOf(c.copies[:n])
	c.copies = c.copies[n:]
	c.cuts = append(c.cuts[1:], c.cuts[0])
	c.rows = Rows{
		AccountID: part[0].AccountID, ResourceID: part[0].ResourceID, Of: part,
		More: len(c.copies) > 0 && c.copies[0].ResourceID == part[0].ResourceID,
	}
	for i := range part {
		value, _ := fold.UnitsOf(part[i].Value)
		c.rows.Times, c.rows.Sequences = append(c.rows.Times, part[i].Time.UnixMilli()), append(c.rows.Sequences, part[i].Sequence)
		c.rows.Identities = append(c.rows.Identities, schemas.Identity(part[i].Source, part[i].ID))
		c.rows.Items, c.rows.Values = append(c.rows.Items, part[i].Item), append(c.rows.Values, value)
	}
	return &c.rows, nil
}

func (c *cutRows) Close() error { return nil }

type partOf []Copy

func (p partOf) Position(i int) (schemas.Position, time.Time) { return p[i].Position, p[i].KafkaTime }
func (p partOf) Says(i int) (schemas.Type, string)            { return p[i].Type, "" }
func (p partOf) Fill(i int, c *Copy)                          { *c = p[i] }

// Of each event one copy counts, the best by contract 2, wherever the rows are cut.
func TestOfEachEventOneCopyCountsHoweverTheRowsAreCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []Copy
		for i := range rapid.IntRange(0, 60).Draw(t, "copies") {
			small := func(what string, n int) int { return rapid.IntRange(0, n).Draw(t, what) }
			all = append(all, Copy{
				Event: schemas.Event{
					Type: schemas.UsageRecorded, AccountID: "a", ResourceID: fmt.Sprint("r", small("resource", 2)), Source: "s",
					ID: fmt.Sprint(small("id", 1)), Time: time.UnixMilli(int64(small("time", 2))).UTC(), Sequence: int64(small("sequence", 1)),
					Usage: schemas.Usage{Item: "i", Value: decimal.NewFromInt(int64(i))},
				},
				Position:  schemas.Position{Topic: "t", Partition: int32(small("partition", 1)), Offset: int64(i)},
				KafkaTime: time.UnixMilli(int64(small("stamp", 2))).UTC(),
			})
		}
		slices.SortFunc(all, func(a, b Copy) int {
			return cmp.Or(strings.Compare(a.ResourceID, b.ResourceID), a.Compare(&b.Event), schemas.ComparePositions(a.Position, b.Position))
		})
		runs := ranking{{Number: 1, Cutoff: schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "t", End: 20}, {Topic: "t", Partition: 1, End: 10}})}}
		var want []int64
		for i := range all {
			best := true
			for j := range all {
				if all[i].ResourceID == all[j].ResourceID && all[i].Compare(&all[j].Event) == 0 {
					best = best && runs.compare(all[i].KafkaTime, all[i].Position, all[j].KafkaTime, all[j].Position) <= 0
				}
			}
			if best {
				want = append(want, all[i].Position.Offset)
			}
		}
		c := &counting{ranking: runs, Cursor: &cutRows{copies: all, cuts: rapid.SliceOfN(rapid.IntRange(1, 9), 1, 5).Draw(t, "cuts")}}
		var got []int64
		for {
			rows, err := c.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			for _, i := range rows.which {
				var row Copy
				rows.Of.Fill(int(i), &row)
				got = append(got, row.Position.Offset)
				if rows.Values[i].Decimal().Cmp(row.Value) != 0 || rows.Times[i] != row.Time.UnixMilli() || rows.ResourceID != row.ResourceID {
					t.Fatalf("columns of %+v: %+v", row, rows.Rows)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got offsets %v, want %v", got, want)
		}
	})
}
