package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe is bytes as people may see them: what is no printable text, and so could
// move their cursor or hide what stands there, is escaped. Line ends and tabs stay.
func Safe(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, b[0])
		case r == '\n', r == '\t', strconv.IsPrint(r):
			out.WriteRune(r)
		default:
			out.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		b = b[size:]
	}
	return out.String()
}

// SafeLine is Safe for a cell of a table.
func SafeLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(Safe([]byte(s)))
}

// cellText is text as a spreadsheet shows it and does not run it: an apostrophe stands
// before what it would take for a formula, at the begin of the text and of each cell
// that a spreadsheet makes of it where cells end at a semicolon or a tab. Full-width
// signs are signs to some.
func cellText(s string) string {
	var out strings.Builder
	begins := true
	for _, r := range s {
		if begins && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
			out.WriteByte('\'')
		}
		out.WriteRune(r)
		begins = r == ';' || r == '\t' || begins && unicode.IsSpace(r)
	}
	return out.String()
}
