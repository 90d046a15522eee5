package column

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// statement is the text of queries/NAME.sql, in which {{PART}} stands for that of
// queries/parts/PART.sql.
func (db *DB) statement(name string) (string, error) {
	whole, err := db.file("queries/" + name + ".sql")
	for err == nil {
		before, rest, found := strings.Cut(whole, "{{")
		if !found {
			return whole, nil
		}
		part, after, _ := strings.Cut(rest, "}}")
		text := ""
		if text, err = db.file("queries/parts/" + part + ".sql"); err == nil {
			whole = before + strings.TrimSpace(text) + after
		}
	}
	return "", fmt.Errorf("query %s: %w", name, err)
}

// file is what the first of the folders has that has such a file.
func (db *DB) file(name string) (string, error) {
	for _, folder := range db.statements {
		text, err := fs.ReadFile(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return string(text), err
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// Bind is a bound parameter: {name:Type} in the text of a statement.
func Bind(name string, value any) any {
	if t, ok := value.(time.Time); ok {
		return driver.DateNamed(name, t, driver.MilliSeconds)
	}
	return driver.Named(name, value)
}

// Settings are ClickHouse's settings of one statement, by name.
type Settings map[string]any

// WithSettings gives settings to the statements that are carried out in the context,
// those of [OpenStream] and [DB.Insert] aside.
func WithSettings(ctx context.Context, settings Settings) context.Context {
	return driver.Context(ctx, driver.WithSettings(driver.Settings(settings)))
}

// IsThrown tells whether a statement failed because its own throwIf did.
func IsThrown(err error) bool { return ch.IsErr(err, proto.ErrFunctionThrowIfValueIsNonZero) }

// Exec carries out a statement that gives no rows.
func (db *DB) Exec(ctx context.Context, name string, args ...any) error {
	text, err := db.statement(name)
	if err != nil {
		return err
	}
	if err := db.kept(db.conn.Exec(ctx, text, args...)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// ExecText is [DB.Exec] of a statement that is in no file.
func (db *DB) ExecText(ctx context.Context, text string, args ...any) error {
	return db.kept(db.conn.Exec(ctx, text, args...))
}

// Row scans the one row of a query.
func (db *DB) Row(ctx context.Context, name string, dest []any, args ...any) error {
	text, err := db.statement(name)
	if err != nil {
		return err
	}
	if err := db.kept(db.conn.QueryRow(ctx, text, args...).Scan(dest...)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Texts are parts of statements by the names of their files.
type Texts map[string]string

// ColumnsOf adds {{columns_of_TABLE}}.
func (t Texts) ColumnsOf(table, names string) { t["queries/parts/columns_of_"+table+".sql"] = names }

// RowOf adds {{row_of_TABLE}}: the text of a row, see [RowExpression].
func (t Texts) RowOf(table string, columns Input) {
	t["queries/parts/row_of_"+table+".sql"] = RowExpression(columns)
}

// Open is for the interface: nobody asks for more than ReadFile gives.
func (Texts) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

// ReadFile is the text of a part.
func (t Texts) ReadFile(name string) ([]byte, error) {
	text, found := t[name]
	if !found {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

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
