package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// figure is one number of the report, measured once or several times.
type figure struct {
	// Key is its name in bench.json.
	Key string
	// What it is, in words, and what it has to be; Wanted may be empty.
	What, Unit, Wanted string
	Values             []float64
}

// median is the middle value, or the mean of the two in the middle.
func (f *figure) median() float64 {
	sorted := slices.Sorted(slices.Values(f.Values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// section is a group of figures, with what has to be known to read them.
type section struct {
	Title, Note string
	Figures     []figure
	// Parts, where there are any, say where the time of a seal went.
	Parts []parts
}

// parts are those of one traced seal.
type parts struct {
	Of    string
	Parts []part
}

// report is all that was measured.
type report struct {
	Machine  machine
	Form     string
	Sections []section
}

// print writes the report as Markdown, which is a table on a screen too.
func (r *report) print(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	b.WriteString("Written by `make bench` (or, in its short form, `make bench-short`); do not edit. What is\n" +
		"measured and how is said in `internal/bench/doc.go`.\n\n")
	fmt.Fprintf(&b, "%s\n\nMachine: %s\n", r.Form, r.Machine)
	for _, s := range r.Sections {
		s.print(&b)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (s *section) print(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", s.Title, s.Note)
	rows := [][]string{{"what", "median", "lowest – highest", "unit", "wanted"}}
	for i := range s.Figures {
		f := &s.Figures[i]
		spread := ""
		if len(f.Values) > 1 {
			spread = fmt.Sprintf("%s – %s", short(slices.Min(f.Values)), short(slices.Max(f.Values)))
		}
		rows = append(rows, []string{f.What, short(f.median()), spread, f.Unit, f.Wanted})
	}
	table(b, rows, 1, 2)
	if len(s.Parts) == 0 {
		return
	}
	b.WriteString("\nWhere reckon's time goes, in seconds of one traced run; reading and writing include\n" +
		"the time in which reckon waits for ClickHouse. Writing goes on beside the other parts, whose sum is the whole:\n\n")
	rows = [][]string{{"part"}}
	for _, p := range s.Parts[0].Parts {
		rows = append(rows, []string{p.Name})
	}
	for _, all := range s.Parts {
		rows[0] = append(rows[0], all.Of)
		for i, p := range all.Parts {
			rows[i+1] = append(rows[i+1], fmt.Sprintf("%.2f", p.Seconds))
		}
	}
	right := make([]int, len(s.Parts))
	for i := range right {
		right[i] = i + 1
	}
	table(b, rows, right...)
}

// table writes rows, the first as the head; the named columns stand to the right.
func table(b *strings.Builder, rows [][]string, right ...int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)), 3)
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			space := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if slices.Contains(right, i) {
				fmt.Fprintf(b, "| %s%s ", space, cell)
			} else {
				fmt.Fprintf(b, "| %s%s ", cell, space)
			}
		}
		b.WriteString("|\n")
	}
	line(rows[0])
	for i, width := range widths {
		mark := strings.Repeat("-", width)
		if slices.Contains(right, i) {
			mark = mark[1:] + ":"
		}
		fmt.Fprintf(b, "| %s ", mark)
	}
	b.WriteString("|\n")
	for _, row := range rows[1:] {
		line(row)
	}
}

// short writes a number with three digits that count, thousands apart.
func short(v float64) string {
	switch {
	case v >= 1000:
		digits := strconv.FormatFloat(v, 'f', 0, 64)
		for i := len(digits) - 3; i > 0; i -= 3 {
			digits = digits[:i] + " " + digits[i:]
		}
		return digits
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// json writes the medians under their keys, beside the machine.
func (r *report) json(w io.Writer) error {
	all := map[string]any{"machine": r.Machine, "form": r.Form}
	for _, s := range r.Sections {
		for i := range s.Figures {
			all[s.Figures[i].Key] = s.Figures[i].median()
		}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(all); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

// save writes a file.
func save(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}
