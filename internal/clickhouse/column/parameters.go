package column

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// parameters are bound parameters in the form of the native protocol: the text of
// each value as the server reads it in TSV, quoted once more as a setting is.
// clickhouse-go has the same two steps; ch-go's own helper has none.
func parameters(args []any) ([]proto.Parameter, error) {
	all := make([]proto.Parameter, 0, len(args))
	for _, arg := range args {
		var name, text string
		switch p := arg.(type) {
		case native.NamedDateValue: // of Bind: milliseconds
			name, text = p.Name, decimalMillis(p.Value.UnixMilli())
		case native.NamedValue:
			var err error
			if name = p.Name; name == "" {
				return nil, fmt.Errorf("parameter of type %T has no name", p.Value)
			}
			if text, err = parameterText(p.Value); err != nil {
				return nil, fmt.Errorf("parameter %s: %w", name, err)
			}
		default:
			return nil, fmt.Errorf("parameter of type %T", arg)
		}
		all = append(all, proto.Parameter{Key: name, Value: quoted(text)})
	}
	return all, nil
}

func parameterText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return escapeText.Replace(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case uint8:
		return strconv.FormatUint(uint64(v), 10), nil
	case uint32:
		return strconv.FormatUint(uint64(v), 10), nil
	case []string:
		return list(v, quoted), nil
	case []int64:
		return list(v, func(n int64) string { return strconv.FormatInt(n, 10) }), nil
	}
	return "", fmt.Errorf("no text for type %T", value)
}

func list[T any](values []T, text func(T) string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = text(v)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// decimalMillis are seconds with three decimals.
func decimalMillis(ms int64) string {
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	return fmt.Sprintf("%s%d.%03d", sign, ms/1000, ms%1000)
}

// Both are tables, safe for concurrent use.
//
//nolint:gochecknoglobals // made once, never changed
var (
	escapeText  = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
	escapeQuote = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
)

func quoted(s string) string { return "'" + escapeQuote.Replace(s) + "'" }
