package simulate

import (
	"bytes"
	"fmt"
)

// doubts are what is probably not meant of a scenario: all of it is played as it
// stands, so that whoever wrote it wonders at what comes of it.
type doubts struct {
	told []string
	// begun is the file of which the first line was looked at last, from 1.
	begun int
}

// look looks at a line that is no directive.
func (d *doubts) look(l *Line) {
	rest, marked := bytes.CutPrefix(l.Value, []byte("\uFEFF"))
	if marked && l.At.Line == 1 {
		d.told = append(d.told, fmt.Sprintf("%s: the file begins with a byte order mark, which makes its first line no JSON: save it as UTF-8 without", l.where()))
	}
	first := d.begun != l.At.File+1
	d.begun = l.At.File + 1
	if first && bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte("[")) {
		d.told = append(d.told, fmt.Sprintf("%s: a JSON array is no event: a scenario has one event a line, as jq -c '.[]' makes them of a batch", l.where()))
	}
}

// unsealed tells of a scenario that seals nothing of what is in it.
func (d *doubts) unsealed() {
	d.told = append(d.told, `no line seals a month, as {"seal":"2026-10"} does: nothing is invoiced`)
}
