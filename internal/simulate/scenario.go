package simulate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/reckon-billing/reckon/internal/config"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// Line is one line of a scenario file that is not blank (contract 7): a
// directive when Seal is set, else bytes to be produced as they stand.
type Line struct {
	At    Origin
	Seal  schemas.Month
	Value []byte

	name string
}

// Origin is where a line came from: which file of the list, and its line.
type Origin struct{ File, Line int }

func (l *Line) where() string { return fmt.Sprintf("%s:%d", l.name, l.At.Line) }

// Scenario is a list of files. A replay reads them twice, so what can be read
// only once (a pipe) is copied first.
type Scenario []file

// file has the name that it was called by and where its bytes are.
type file struct{ name, path string }

// OpenScenario looks at the files. The folder takes copies of pipes.
func OpenScenario(ctx context.Context, names []string, folder string) (Scenario, error) {
	files := make(Scenario, len(names))
	for i, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, config.Usagef("read scenario: %w", err)
		}
		files[i] = file{name, name}
		switch {
		case info.IsDir():
			return nil, config.Usagef("read scenario: %s is a folder", name)
		case !info.Mode().IsRegular():
			files[i].path = filepath.Join(folder, fmt.Sprintf("scenario-%d", i))
			if err := copyPipe(ctx, name, files[i].path); err != nil {
				return nil, fmt.Errorf("read scenario %s: %w", name, err)
			}
		}
	}
	return files, nil
}

// copyPipe copies a file, unless the context ends: nobody may ever write to a pipe.
func copyPipe(ctx context.Context, from, to string) error {
	copied := make(chan error, 1)
	go func() { copied <- copyFile(from, to) }()
	select {
	case err := <-copied:
		return err
	case <-ctx.Done():
		return ctx.Err() // who waits for the pipe does so until the process ends
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Read hands out the lines of the files in order. What cannot be read is a usage
// error named by file and line: a directive, or a line over the size limit. The
// value is valid until each returns.
func (s Scenario) Read(ctx context.Context, each func(*Line) error) error {
	for i := range s {
		if err := s[i].read(ctx, i, each); err != nil {
			return err
		}
	}
	return nil
}

func (s file) read(ctx context.Context, index int, each func(*Line) error) error {
	name := s.name
	f, err := os.Open(s.path)
	if err != nil {
		return config.Usagef("read scenario: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	r := bufio.NewReaderSize(f, 1<<20)
	var long []byte
	for n := 1; ; n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		raw, ended, err := readLine(r, &long)
		if err != nil {
			return config.Usagef("read scenario %s:%d: %w", name, n, err)
		}
		if len(bytes.Trim(raw, " \t\r")) > 0 {
			l := Line{At: Origin{index, n}, name: name, Value: raw}
			if l.Seal, err = Directive(raw); err != nil {
				return config.Usagef("%s: %w", l.where(), err)
			}
			if err := each(&l); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
	}
}

var errTooLong = fmt.Errorf("the line is over %d bytes, the size limit of an event", schemas.MaxEventBytes)

// readLine reads up to the next LF, which is left out.
func readLine(r *bufio.Reader, long *[]byte) (line []byte, ended bool, err error) {
	*long = (*long)[:0]
	for {
		part, err := r.ReadSlice('\n')
		whole := err == nil
		if whole {
			part = part[:len(part)-1]
		}
		if whole && len(*long) == 0 {
			line = part
		} else {
			*long = append(*long, part...)
			line = *long
		}
		if len(line) > schemas.MaxEventBytes {
			return nil, false, errTooLong
		}
		switch {
		case whole:
			return line, false, nil
		case errors.Is(err, io.EOF):
			return line, true, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}

// Directive reads a line that is a JSON object with the key seal and no
// specversion; the zero month means that it is none. One that is there but cannot
// be read is an error.
func Directive(line []byte) (schemas.Month, error) {
	if !bytes.Contains(line, []byte("seal")) && !bytes.Contains(line, []byte(`\u`)) {
		return schemas.Month{}, nil
	}
	var object map[string]jsontext.Value
	// Twice the same key is a directive all the same, and one that cannot be read.
	if err := json.Unmarshal(line, &object, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil || object == nil {
		return schemas.Month{}, nil //nolint:nilerr // not a JSON object: an event for ingest to judge
	}
	value, there := object["seal"]
	if _, event := object["specversion"]; !there || event {
		return schemas.Month{}, nil
	}
	var strict struct {
		Seal string `json:"seal"`
	}
	if err := json.Unmarshal(line, &strict, json.RejectUnknownMembers(true)); err != nil {
		return schemas.Month{}, fmt.Errorf(`cannot read the directive %s: write {"seal":"2026-10"}`, cutText(line))
	}
	month, err := schemas.ParseMonth(strict.Seal)
	if err != nil {
		return schemas.Month{}, fmt.Errorf("cannot read the directive's month %s: %w", value, err)
	}
	return month, nil
}

func cutText(b []byte) string {
	const most = 120
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

// Facts is what is known of a scenario before anything starts.
type Facts struct {
	Lines int
	// First and Last are the earliest and latest month of its seal directives.
	First, Last schemas.Month
	Seals       int
	// Newest is the latest time of an event that is not rejected for a reason
	// other than its Kafka timestamp.
	Newest time.Time
	// Doubts are sentences about what is probably not meant.
	Doubts []string
}

// Survey reads the files once, so that whatever cannot be read is found before
// anything starts.
func (s Scenario) Survey(ctx context.Context, parser codec.Parser) (Facts, error) {
	var facts Facts
	var d doubts
	err := s.Read(ctx, func(l *Line) error {
		if !l.Seal.IsZero() {
			facts.Seals++
			if facts.First.IsZero() || l.Seal.Before(facts.First) {
				facts.First = l.Seal
			}
			if facts.Last.Before(l.Seal) {
				facts.Last = l.Seal
			}
			return nil
		}
		facts.Lines++
		d.look(l)
		e, err := parser.ParseUndated(&schemas.Message{Value: l.Value})
		if err == nil && e.Time.After(facts.Newest) {
			facts.Newest = e.Time
		}
		return nil
	})
	if facts.Seals == 0 && facts.Lines > 0 {
		d.unsealed()
	}
	facts.Doubts = d.told
	return facts, err
}

// Clock is the replay's default for --now: the later of the newest event, cut to
// the second, and the end of the last month to be sealed.
func (f Facts) Clock(zone *time.Location) time.Time {
	now := f.Newest.Truncate(time.Second)
	if !f.Last.IsZero() {
		if end := f.Last.End(zone); end.After(now) {
			now = end
		}
	}
	if now.IsZero() {
		now = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return now.UTC()
}
