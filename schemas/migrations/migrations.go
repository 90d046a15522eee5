package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

//go:embed *.sql
var files embed.FS

// Migration is one numbered file.
type Migration struct {
	Number int
	// Name is the file's name, as in "0002_events.sql".
	Name string
	// Checksum is the SHA-256 of the file's bytes in hexadecimal.
	Checksum string
	text     string
}

// Target is what a migration is filled in for.
type Target struct {
	// Cluster is the ClickHouse cluster that every statement runs on, empty for a
	// single server.
	Cluster string
	// Digits is the number of decimals of the currency's minor unit.
	Digits int32
}

// All are the migrations by number. An error means that this binary was built
// with a gap in the numbers or a file with another kind of name.
func All() ([]Migration, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	all := make([]Migration, 0, len(names))
	for i, name := range names {
		if !fileName.MatchString(name) || name[:4] != fmt.Sprintf("%04d", i+1) {
			return nil, fmt.Errorf("migration %s: want a name like %04d_what_it_makes.sql", name, i+1)
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		sum := sha256.Sum256(text)
		all = append(all, Migration{Number: i + 1, Name: name, Checksum: hex.EncodeToString(sum[:]), text: string(text)})
	}
	return all, nil
}

var (
	fileName    = regexp.MustCompile(`^[0-9]{4}_[a-z0-9_]+\.sql$`)
	clusterName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

// Statements fills the file in for the target and cuts it at the semicolons
// that end a line, comments left out. The cluster's name is checked here,
// because it becomes part of the text.
func (m *Migration) Statements(target Target) ([]string, error) {
	if target.Cluster != "" && !clusterName.MatchString(target.Cluster) {
		return nil, fmt.Errorf("cluster %q: want letters, digits, '_', '.' and '-'", target.Cluster)
	}
	if target.Digits < 0 || target.Digits > 18 {
		return nil, fmt.Errorf("currency with %d decimals: want 0 to 18", target.Digits)
	}
	t, err := template.New(m.Name).Option("missingkey=error").Parse(m.text)
	if err != nil {
		return nil, fmt.Errorf("migration %s: %w", m.Name, err)
	}
	var filled strings.Builder
	if err := t.Execute(&filled, words{target}); err != nil {
		return nil, fmt.Errorf("migration %s: %w", m.Name, err)
	}
	return split(filled.String()), nil
}

func split(text string) []string {
	var statements []string
	var statement strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "--") || line == "" {
			continue
		}
		body, ends := strings.CutSuffix(line, ";")
		statement.WriteString(body)
		if !ends {
			statement.WriteByte('\n')
			continue
		}
		statements = append(statements, statement.String())
		statement.Reset()
	}
	if statement.Len() > 0 {
		statements = append(statements, statement.String())
	}
	return statements
}

// words are what a file may say between {{ and }}.
type words struct{ target Target }

// OnCluster stands after the name of what is made.
func (w words) OnCluster() string {
	if w.target.Cluster == "" {
		return ""
	}
	return " ON CLUSTER '" + w.target.Cluster + "'"
}

// Replacing is the engine of every table. On a cluster its path and replica
// come from the server's default_replica_path and default_replica_name.
func (w words) Replacing() string { return w.replicated() + "ReplacingMergeTree" }

// ReplacingBy is Replacing with a version column, of which the highest wins.
func (w words) ReplacingBy(version string) string { return w.Replacing() + "(" + version + ")" }

// Digits are the decimals of the money columns.
func (w words) Digits() string { return strconv.Itoa(int(w.target.Digits)) }

func (w words) replicated() string {
	if w.target.Cluster == "" {
		return ""
	}
	return "Replicated"
}
