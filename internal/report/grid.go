package report

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Align is on which side of its column a text stands.
type Align = text.Align

// The two sides.
const (
	Left  = text.AlignLeft
	Right = text.AlignRight
)

// Rule is a cell of dashes as long as its column is wide.
const Rule = "\x00"

// Grid is rows of cells that are aligned when they are written: two spaces apart,
// without frames, and without spaces at the ends of lines.
type Grid struct {
	sides  []Align // Left beyond
	indent string
	rows   [][]string
}

// NewGrid names the sides of the columns; those beyond stand left.
func NewGrid(sides ...Align) *Grid { return &Grid{sides: sides} }

// Add adds a row.
func (g *Grid) Add(cells ...string) { g.rows = append(g.rows, cells) }

// Len is how many rows wait.
func (g *Grid) Len() int { return len(g.rows) }

// oneWidth has × and − take one column everywhere, as two machines are to print the
// same bytes: the library asks the locale. Marks that stand on the letter before
// them (Vietnamese written decomposed) take none, ideographs two.
//
//nolint:gochecknoglobals // what it sets is global in the library
var oneWidth = sync.OnceFunc(func() { text.OverrideRuneWidthEastAsianWidth(false) })

// Flush writes the rows and forgets them.
func (g *Grid) Flush(w io.Writer) error {
	if len(g.rows) == 0 {
		return nil
	}
	oneWidth()
	t := table.NewWriter()
	t.SetStyle(table.Style{
		Box:     table.BoxStyle{MiddleVertical: "  "},
		Options: table.Options{SeparateColumns: true},
	})
	t.SuppressTrailingSpaces()
	configs := make([]table.ColumnConfig, len(g.sides))
	for i, side := range g.sides {
		configs[i] = table.ColumnConfig{Number: i + 1, Align: side}
	}
	t.SetColumnConfigs(configs)
	for _, cells := range g.rows {
		row := make(table.Row, len(cells))
		for i, cell := range cells {
			if cell == Rule {
				cell = strings.Repeat("-", g.width(i))
			}
			if i == 0 {
				cell = g.indent + cell
			}
			row[i] = cell
		}
		t.AppendRow(row)
	}
	g.rows = g.rows[:0]
	if _, err := io.WriteString(w, t.Render()+"\n"); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	return nil
}

// width is that of a column.
func (g *Grid) width(column int) int {
	widest := 0
	for _, cells := range g.rows {
		if column < len(cells) && cells[column] != Rule {
			widest = max(widest, text.StringWidthWithoutEscSequences(cells[column]))
		}
	}
	return widest
}
