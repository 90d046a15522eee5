package report

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// cells is how many columns of a terminal the text takes: marks that stand on the
// letter before them (Vietnamese written decomposed) take none, ideographs two.
func cells(s string) int {
	n := 0
	for _, r := range s {
		if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
			continue
		}
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		case width.Neutral, width.EastAsianAmbiguous, width.EastAsianNarrow, width.EastAsianHalfwidth:
			n++
		}
	}
	return n
}

// align is on which side of its column a text stands.
type align bool

const (
	left  align = false
	right align = true
)

func pad(s string, to int, side align) string {
	space := strings.Repeat(" ", max(0, to-cells(s)))
	if side == right {
		return space + s
	}
	return s + space
}

// grid is lines of cells that are aligned when they are written.
type grid struct {
	sides []align
	lines [][]string
}

// rule is a line of dashes over the columns that it marks with a text.
const rule = "\x00"

func (g *grid) add(line ...string) { g.lines = append(g.lines, line) }

// write appends the lines, each after the indent, without spaces at their ends.
func (g *grid) write(b *strings.Builder, indent string) {
	widths := make([]int, len(g.sides))
	for _, line := range g.lines {
		for i, text := range line {
			if text != rule {
				widths[i] = max(widths[i], cells(text))
			}
		}
	}
	for _, line := range g.lines {
		written := make([]string, len(line))
		for i, text := range line {
			if text == rule {
				text = strings.Repeat("-", widths[i])
			}
			written[i] = pad(text, widths[i], g.sides[i])
		}
		b.WriteString(strings.TrimRight(indent+strings.Join(written, "  "), " "))
		b.WriteByte('\n')
	}
}

// grouped puts a comma between each three digits before the point.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	whole, places, hasPlaces := strings.Cut(number, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if hasPlaces {
		b.WriteString("." + places)
	}
	return sign + b.String()
}

func plain(d decimal.Decimal) string { return grouped(schemas.FormatDecimal(d)) }

func money(c schemas.Currency, amount decimal.Decimal) string { return grouped(c.Format(amount)) }

// minute writes a time in the billing zone for people, to the minute.
func minute(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 -07:00")
}

// counted is a number and what it counts, in the plural where it must be.
func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(strconv.FormatInt(n, 10)) + " " + what + "s"
}

// span spells a number of minutes in days of 1,440, hours and minutes.
func span(minutes int64) string {
	var parts []string
	for _, unit := range []struct {
		minutes int64
		name    string
	}{{1_440, "day"}, {60, "hour"}, {1, "minute"}} {
		if n := minutes / unit.minutes; n > 0 {
			parts = append(parts, counted(n, unit.name))
		}
		minutes %= unit.minutes
	}
	if len(parts) == 0 {
		return counted(0, "minute")
	}
	return strings.Join(parts, " ")
}
