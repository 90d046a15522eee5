package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/template"

	"github.com/reckon-billing/reckon/internal/embedded"
)

//go:embed queries/*.sql
var queries embed.FS

// database asks ClickHouse over HTTP: the rivals' statements are plain SQL, sent
// as anybody would send them.
type database struct {
	endpoints embedded.Endpoints
	client    *http.Client
	// name is the database that statements are about.
	name string
}

func newDatabase(e embedded.Endpoints, name string) *database {
	return &database{endpoints: e, name: name, client: &http.Client{Transport: &http.Transport{}}}
}

// close lets go of the connections: an open one would hold the engine up.
func (d *database) close() { d.client.CloseIdleConnections() }

// in is the same server with another database.
func (d *database) in(name string) *database {
	return &database{endpoints: d.endpoints, client: d.client, name: name}
}

// exec runs one statement and gives its answer as text. Settings are
// ClickHouse's own, as name and value in turn.
func (d *database) exec(ctx context.Context, statement string, settings ...string) (string, error) {
	q := url.Values{
		// The answer's status tells of an error in the midst of it too.
		"wait_end_of_query": {"1"}, "session_timezone": {"UTC"}, "enable_time_time64_type": {"0"},
	}
	if d.name != "" {
		q.Set("database", d.name)
	}
	for i := 0; i+1 < len(settings); i += 2 {
		q.Set(settings[i], settings[i+1])
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.endpoints.HTTP+"/?"+q.Encode(), strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	req.Header.Set("X-ClickHouse-User", d.endpoints.User)
	req.Header.Set("X-ClickHouse-Key", d.endpoints.Password)
	res, err := d.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask clickhouse: %w", err)
	}
	body, err := io.ReadAll(res.Body)
	err = errors.Join(err, res.Body.Close())
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, strings.TrimSpace(string(body)))
	}
	if err != nil {
		return "", fmt.Errorf("ask clickhouse %q: %w", firstLine(statement), err)
	}
	return strings.TrimSuffix(string(body), "\n"), nil
}

// run runs queries/NAME.sql with its parameters filled in.
func (d *database) run(ctx context.Context, name string, parameters any) (string, error) {
	text, err := statement(name, parameters)
	if err != nil {
		return "", err
	}
	answer, err := d.exec(ctx, text)
	if err != nil {
		return "", fmt.Errorf("%s.sql: %w", name, err)
	}
	return answer, nil
}

// statement is queries/NAME.sql as a template, filled in: the benchmarks make up
// every value themselves. All files share what expressions.sql defines.
func statement(name string, parameters any) (string, error) {
	t, err := template.New("").Option("missingkey=error").ParseFS(queries, "queries/*.sql")
	var out bytes.Buffer
	if err == nil {
		err = t.ExecuteTemplate(&out, name+".sql", parameters)
	}
	if err != nil {
		return "", fmt.Errorf("statement %s: %w", name, err)
	}
	return out.String(), nil
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return line
		}
	}
	return ""
}
