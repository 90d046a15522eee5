package config

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
)

const masked = "********"

// Secret is a text that must not be seen: printed, logged or marshalled it is
// masked. Reveal gives it to the client library that needs it.
type Secret string

// Reveal is the text itself.
func (s Secret) Reveal() string { return string(s) }

// String is empty for an empty secret and else a mask.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks the secret in %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// LogValue masks the secret in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks the secret in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ByteSize is a number of bytes, written as 1048576, 512KiB, 64MiB or 2GiB.
type ByteSize int64

// The units that a ByteSize may be written in.
const (
	KiB ByteSize = 1 << 10
	MiB ByteSize = 1 << 20
	GiB ByteSize = 1 << 30
)

// UnmarshalText reads a size; it must be a whole number of at least zero.
func (b *ByteSize) UnmarshalText(text []byte) error {
	number, unit := string(text), ByteSize(1)
	for suffix, size := range map[string]ByteSize{"KiB": KiB, "MiB": MiB, "GiB": GiB} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = strings.TrimSpace(rest), size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(unit) {
		return fmt.Errorf("%q is not a size", text)
	}
	*b = ByteSize(n) * unit
	return nil
}

// MarshalText writes a size as String does.
func (b ByteSize) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String writes the size in the largest unit that it is a whole number of.
func (b ByteSize) String() string {
	switch {
	case b != 0 && b%GiB == 0:
		return fmt.Sprintf("%dGiB", int64(b/GiB))
	case b != 0 && b%MiB == 0:
		return fmt.Sprintf("%dMiB", int64(b/MiB))
	case b != 0 && b%KiB == 0:
		return fmt.Sprintf("%dKiB", int64(b/KiB))
	}
	return strconv.FormatInt(int64(b), 10)
}
