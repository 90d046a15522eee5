package codec

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON from front to back. It knows no errors: once bad is set,
// or a method is false, the strict parser has to look.
type scanner struct {
	b   []byte
	i   int
	bad bool
	// unescaped is room for a text that is written with escapes.
	unescaped []byte
}

// skip gives the place of the next byte that is no space, at most len(b).
func skip(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// atEnd tells whether nothing but space follows.
func (s *scanner) atEnd() bool { return skip(s.b, s.i) == len(s.b) }

// next is the first byte that comes next and is no space, 0 at the end.
func (s *scanner) next() byte {
	if s.i = skip(s.b, s.i); s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// take takes a byte, after space, if it comes next.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.i++
	return true
}

// literal takes a text that comes next.
func (s *scanner) literal(text string) bool {
	if len(s.b)-s.i < len(text) || string(s.b[s.i:s.i+len(text)]) != text {
		return false
	}
	s.i += len(text)
	return true
}

// firstKey enters an object and gives its first key, as nextKey does.
func (s *scanner) firstKey() []byte {
	if !s.take('{') {
		s.bad = true
		return nil
	}
	if s.next() == '}' {
		s.i++
		return nil
	}
	return s.key(s.i)
}

// nextKey gives the next key of an object as it is written between its quotes
// and goes to its value. It is nil when the object has ended or when bad is set.
func (s *scanner) nextKey() []byte {
	b, i := s.b, s.i
	if i < len(b) && b[i] != ',' && b[i] != '}' {
		i = skip(b, i)
	}
	switch {
	case i >= len(b):
	case b[i] == ',':
		return s.key(i + 1)
	case b[i] == '}':
		s.i = i + 1
		return nil
	}
	s.bad = true
	return nil
}

// key reads a key and the colon. It ends a key at the first quote: one that is
// written with escapes then has a backslash in it, and so is no name that
// anybody asks for.
func (s *scanner) key(i int) []byte {
	b := s.b
	if i < len(b) && b[i] != '"' {
		i = skip(b, i)
	}
	if i < len(b) && b[i] == '"' {
		start := i + 1
		end := quoteFrom(b, start)
		i = end + 1
		if i < len(b) && b[i] != ':' {
			i = skip(b, i)
		}
		if i < len(b) && b[i] == ':' {
			i++
			if i < len(b) && b[i] <= ' ' {
				i = skip(b, i)
			}
			s.i = i
			return b[start:end]
		}
	}
	s.bad = true
	return nil
}

// Eight bytes at once: a word with this in each byte.
const (
	eachByte uint64 = 0x0101010101010101
	highBits        = eachByte * 0x80
)

// quoteFrom is the place of the next quote, or len(b).
func quoteFrom(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:]) ^ eachByte*'"'
		// The lowest bit that this sets is that of the first zero byte of x:
		// only above one can a borrow set another.
		if found := (x - eachByte) &^ x & highBits; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(b) && b[i] != '"' {
		i++
	}
	return i
}

// plainFrom is the place of the next byte that is not plain, or len(b): a quote,
// a backslash, a control character, or anything beyond ASCII.
func plainFrom(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		// Flipping this bit puts the quote right above the controls, and nothing
		// else between; the other two find the backslash and DEL. Again the lowest
		// bit is exact: borrows and carries go up, from a byte that is found.
		found := ((w ^ eachByte*('"'^' ')) - eachByte*(' '+1)) | ((w ^ eachByte*'\\') - eachByte) | (w + eachByte) | w
		if found &= highBits; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] < 0x7F && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// text reads a string that comes next and gives what it holds: valid UTF-8
// of which nothing is hidden. It lasts until the next one.
func (s *scanner) text() (t []byte, ok bool) {
	b, start := s.b, s.i+1
	if s.i >= len(b) || b[s.i] != '"' {
		return nil, false
	}
	i := plainFrom(b, start)
	if i < len(b) && b[i] == '"' {
		s.i = i + 1
		return b[start:i], true
	}
	return s.richText(start, i)
}

// richText is text for a string that is plain only from start to i.
func (s *scanner) richText(start, i int) (t []byte, ok bool) {
	b, from, escapes := s.b, start, false
	s.unescaped = s.unescaped[:0]
	for i < len(b) {
		switch c := b[i]; {
		case c == '"' && escapes:
			s.i = i + 1
			s.unescaped = append(s.unescaped, b[from:i]...)
			return s.unescaped, true
		case c == '"':
			s.i = i + 1
			return b[start:i], true
		case c == '\\':
			r, size := escaped(b[i:])
			if size == 0 || isHiddenRune(r) {
				return nil, false
			}
			s.unescaped = utf8.AppendRune(append(s.unescaped, b[from:i]...), r)
			escapes = true
			i += size
			from = i
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			if size == 1 || isHiddenRune(r) {
				return nil, false
			}
			i += size
		case isHiddenRune(rune(c)):
			return nil, false
		default:
			i = plainFrom(b, i+1)
		}
	}
	return nil, false
}

// isHiddenRune is isHidden for a character.
func isHiddenRune(r rune) bool {
	return r < ' ' || (r >= 0x7F && r < 0xA0) || (r >= 0x202A && r <= 0x202E) || (r >= 0x2066 && r <= 0x2069)
}

// escaped reads the escape that b begins with: the character and the bytes that
// it takes, 0 for one that is wrong or stands for a control character.
func escaped(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'u':
	default:
		return 0, 0
	}
	r = hex4(b[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(b) < 12 || b[6] != '\\' || b[7] != 'u' {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, hex4(b[8:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 is the number that four hexadecimal digits write, or 0.
func hex4(b []byte) (r rune) {
	if len(b) < 4 {
		return 0
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0
		}
		r = r<<4 | rune(c)
	}
	return r
}

// numeral takes the characters that numbers are written with; whether they are
// a number is for the caller to see.
func (s *scanner) numeral() []byte {
	b, i := s.b, s.i
	for i < len(b) && (b[i]-'0' <= 9 || b[i] == '.' || b[i] == '-' || b[i] == '+' || b[i] == 'e' || b[i] == 'E') {
		i++
	}
	t := b[s.i:i]
	s.i = i
	return t
}

// isPlain tells whether a header's value is text as scanner.text gives it.
func isPlain(t []byte) bool {
	if plainFrom(t, 0) == len(t) {
		return true
	}
	return utf8.Valid(t) && !isHidden(string(t))
}
