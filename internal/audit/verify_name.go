package audit

import (
	"context"
	"slices"
	"strconv"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// nameChanges says what is not as it was sealed: each invoice whose hash does
// not fit is made again and compared column by column. Lines of which all is
// told are noted in told.
func (p *proof) nameChanges(ctx context.Context, r *SealedResource, all []*storedInvoice, told map[schemas.LineKey]bool) error {
	n := naming{proof: p, resource: r, told: told}
	for _, s := range all {
		if s.hash == nil { // no run issued it: it may be another invoice's rows
			n.strayLines = append(n.strayLines, s.lines...)
			if s.header != nil {
				n.strayHeaders = append(n.strayHeaders, *s.header)
			}
		}
	}
	// What was invoiced before, as it was sealed.
	var invoiced []schemas.Line
	for i := 0; i < len(all); {
		run, issued := all[i].run, map[string]invoicer.Issued(nil)
		var lines []schemas.Line
		for ; i < len(all) && all[i].run == run; i++ {
			s := all[i]
			if s.intact() {
				lines = append(lines, s.rows()...)
				continue
			}
			if s.hash == nil {
				continue
			}
			if _, known := p.runs[run]; issued == nil && known {
				var err error
				if issued, err = p.reissue(ctx, r, run, s.form, invoiced); err != nil {
					return err
				}
			}
			rows, err := n.compare(ctx, s, issued)
			if err != nil {
				return err
			}
			lines = append(lines, rows...)
		}
		invoiced = append(invoiced, lines...)
	}
	return n.leftOver()
}

// naming names the changes of one resource.
type naming struct {
	*proof
	resource *SealedResource
	told     map[schemas.LineKey]bool
	// rows counts the rows of each line in the document that is compared.
	rows map[schemas.LineKey]int
	// Rows of the resource that belong to no invoice that was issued.
	strayHeaders []schemas.Invoice
	strayLines   []StoredLine
}

// compare compares an invoice with what was issued under its code, and returns
// the lines that it had when it was sealed, as far as that is known.
func (n *naming) compare(ctx context.Context, s *storedInvoice, issued map[string]invoicer.Issued) ([]schemas.Line, error) {
	want, known := issued[s.code]
	if !known || s.form.Hash(&want.Invoice, want.Rows) != s.hash.Hash {
		// Its events have changed as well, or the hash has.
		err := n.differ("%s: it was sealed with hash %x, which is neither that of its rows nor of what run %d derives", s.code, s.hash.Hash, s.run)
		if err != nil || !known {
			return s.rows(), err
		}
	}
	if s.header == nil || len(s.lines) < len(want.Rows) {
		headers, lines, err := n.Invoices.Strayed(ctx, s.hash)
		if err != nil {
			return nil, err
		}
		n.strayHeaders, n.strayLines = append(n.strayHeaders, headers...), append(n.strayLines, lines...)
	}
	for i := range want.Rows {
		n.told[sameLineOf(&want.Rows[i])] = true
	}
	for i := range s.lines {
		n.told[sameLineOf(&s.lines[i].Line)] = true
	}
	if err := n.header(s, &want.Invoice); err != nil {
		return nil, err
	}
	return want.Rows, n.lines(s, want.Rows)
}

// header compares a header, found elsewhere if need be.
func (n *naming) header(s *storedInvoice, want *schemas.Invoice) error {
	derived := s.form.Header(want)
	if s.header == nil {
		i := nearest(derived, n.strayHeaders, s.form.Header)
		if i < 0 {
			return n.differ("%s: the header is gone", s.code)
		}
		found := n.strayHeaders[i]
		n.strayHeaders = slices.Delete(n.strayHeaders, i, i+1)
		s.header = &found
	}
	return n.columns(s.code+": header", s.form.Header(s.header), derived, "derived")
}

// lines compares the lines of an invoice: first those that stand where they
// must, then the rest with what looks most like them.
func (n *naming) lines(s *storedInvoice, want []schemas.Line) error {
	left := slices.Clone(s.lines)
	var missing []schemas.Line
	n.rows = map[schemas.LineKey]int{}
	for i := range want {
		n.rows[sameLineOf(&want[i])]++
	}
	for i := range want {
		j := slices.IndexFunc(left, func(l StoredLine) bool { return tables.CompareLines(&l.Line, &want[i]) == 0 })
		if j < 0 {
			missing = append(missing, want[i])
			continue
		}
		if err := n.line(s, &left[j], &want[i]); err != nil {
			return err
		}
		left = slices.Delete(left, j, j+1)
	}
	for i := range missing {
		derived := s.lineColumns(&missing[i])
		if j := nearest(derived, left, s.line); j >= 0 {
			if err := n.line(s, &left[j], &missing[i]); err != nil {
				return err
			}
			left = slices.Delete(left, j, j+1)
			continue
		}
		if j := nearest(derived, n.strayLines, s.line); j >= 0 {
			if err := n.line(s, &n.strayLines[j], &missing[i]); err != nil {
				return err
			}
			n.strayLines = slices.Delete(n.strayLines, j, j+1)
			continue
		}
		if err := n.differ("%s: line %s is gone", s.code, n.rowName(&missing[i])); err != nil {
			return err
		}
	}
	for i := range left {
		if err := n.differ("%s: line %s at position %d was not issued", s.code, n.rowName(&left[i].Line), left[i].Position); err != nil {
			return err
		}
	}
	return nil
}

// rowName names a line, and which row of it where its document has two.
func (n *naming) rowName(l *schemas.Line) string {
	if n.rows[sameLineOf(l)] < 2 {
		return n.lineName(l)
	}
	return n.lineName(l) + ", row " + strconv.Itoa(l.Number)
}

func (n *naming) line(s *storedInvoice, stored *StoredLine, want *schemas.Line) error {
	n.told[sameLineOf(&stored.Line)] = true
	return n.columns(s.code+": line "+n.rowName(want), s.line(stored), s.lineColumns(want), "derived")
}

// line are a stored line's columns in the invoice's form, its month as it stands.
func (s *storedInvoice) line(l *StoredLine) []tables.Value {
	columns := s.lineColumns(&l.Line)
	columns[0].Text = l.MonthText
	return columns
}

// lineColumns are a line's columns in the invoice's form, the number among them where
// none was written.
func (s *storedInvoice) lineColumns(l *schemas.Line) []tables.Value {
	columns := s.form.Line(l)
	if !s.form.Numbered() {
		columns = append(columns, tables.Value{Name: "line_number", Text: strconv.Itoa(l.Number)})
	}
	return columns
}

// columns names each column that differs, with what is stored and what it must be, as
// says.
func (p *proof) columns(what string, stored, want []Value, asSays string) error {
	for i := range stored {
		if stored[i] == want[i] {
			continue
		}
		has, must := excerpts(stored[i].Text, want[i].Text)
		if err := p.differ("%s: %s is stored as %q, %s %q", what, stored[i].Name, has, asSays, must); err != nil {
			return err
		}
	}
	return nil
}

// excerpts are two texts, of long ones what stands about their first difference.
func excerpts(a, b string) (string, string) {
	const most, ahead = 200, 40
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	cut := func(s string) string {
		if len(s) <= most {
			return s
		}
		at := max(0, min(from-ahead, len(s)-most))
		s, left := s[at:], at > 0
		if len(s) > most {
			s = s[:most] + "…"
		}
		if left {
			s = "…" + s
		}
		return s
	}
	return cut(a), cut(b)
}

// leftOver are rows that no invoice misses.
func (n *naming) leftOver() error {
	told := map[string]bool{}
	for i := range n.strayHeaders {
		h := &n.strayHeaders[i]
		told[h.Code] = true
		if err := n.differ("%s: no hash of this invoice of run %d is stored: it was never issued, or its hash is gone", h.Code, h.Run); err != nil {
			return err
		}
	}
	for i := range n.strayLines {
		l := &n.strayLines[i]
		if told[l.InvoiceCode] {
			continue
		}
		n.told[sameLineOf(&l.Line)] = true
		if err := n.differ("%s: line %s of run %d was not issued", l.InvoiceCode, n.lineName(&l.Line), l.Run); err != nil {
			return err
		}
	}
	return nil
}

// nearest finds the row with the fewest columns that differ, -1 if none has most
// of them in common.
func nearest[T any](want []tables.Value, rows []T, columns func(*T) []tables.Value) int {
	best, fewest := -1, len(want)/3
	for i := range rows {
		differ := 0
		for j, c := range columns(&rows[i]) {
			if c != want[j] {
				differ++
			}
		}
		if differ < fewest {
			best, fewest = i, differ
		}
	}
	return best
}
