package migrations

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Made are the tables and the views that there are when all migrations are applied,
// sorted. Tables hold rows: on a cluster every replica has its own copy of them to
// wait for.
func Made() (tables, views []string, err error) {
	all, err := All()
	if err != nil {
		return nil, nil, err
	}
	c := catalog{}
	for i := range all {
		statements, err := all[i].Statements(Target{})
		if err != nil {
			return nil, nil, err
		}
		for n, statement := range statements {
			if err := c.apply(statement); err != nil {
				return nil, nil, fmt.Errorf("migration %s, statement %d: %w", all[i].Name, n+1, err)
			}
		}
	}
	return c.names(table), c.names(view), nil
}

// kind is what a name in the database stands for.
type kind string

const (
	table kind = "TABLE"
	view  kind = "VIEW"
)

// catalog is what the statements applied so far have made: each name with its kind.
type catalog map[string]kind

func (c catalog) names(of kind) (names []string) {
	for name, k := range c {
		if k == of {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// apply follows one statement of a single server. What it does not understand is
// refused: a table that was overlooked would be missed later, and silently.
func (c catalog) apply(statement string) error {
	w := &wordsOf{rest: token.FindAllString(statement, -1)}
	var err error
	switch verb := w.next(); verb {
	case "CREATE":
		err = c.create(w)
	case "DROP":
		err = c.drop(w)
	case "RENAME":
		err = c.rename(w)
	case "EXCHANGE":
		err = c.exchange(w)
	case "ALTER", "INSERT", "DELETE", "UPDATE", "OPTIMIZE", "SYSTEM":
	default:
		err = fmt.Errorf("%s: whether it makes a table is not known", verb)
	}
	return err
}

// create refuses a name that is taken: IF NOT EXISTS would make nothing, and not say
// so, even where the name is that of another kind.
func (c catalog) create(w *wordsOf) error {
	replaces := w.eat("OR", "REPLACE")
	w.eat("MATERIALIZED")
	k := kind(w.next())
	w.eat("IF", "NOT", "EXISTS")
	name, err := w.name()
	if err != nil {
		return err
	}
	if k != table && k != view {
		return fmt.Errorf("CREATE %s %s: neither a table nor a view", k, name)
	}
	if there, taken := c[name]; taken && (!replaces || there != k) {
		return fmt.Errorf("CREATE %s %s: the name is that of a %s", k, name, there)
	}
	c[name] = k
	return nil
}

func (c catalog) drop(w *wordsOf) error {
	k := kind(w.next())
	w.eat("IF", "EXISTS")
	for {
		name, err := w.name()
		if err != nil {
			return err
		}
		if c[name] != k {
			return fmt.Errorf("DROP %s %s: there is none", k, name)
		}
		delete(c, name)
		if !w.eat(",") {
			return nil
		}
	}
}

// rename is of tables and of views: ClickHouse says TABLE of both.
func (c catalog) rename(w *wordsOf) error {
	if !w.eat("TABLE") {
		return fmt.Errorf("RENAME %s: not of a table", w.next())
	}
	w.eat("IF", "EXISTS")
	for {
		from, to, err := w.pair("TO")
		if err != nil {
			return err
		}
		k, there := c[from]
		if _, taken := c[to]; !there || taken {
			return fmt.Errorf("RENAME TABLE %s TO %s: the one is not there, or the other is", from, to)
		}
		delete(c, from)
		c[to] = k
		if !w.eat(",") {
			return nil
		}
	}
}

func (c catalog) exchange(w *wordsOf) error {
	if !w.eat("TABLES") {
		return fmt.Errorf("EXCHANGE %s: not of tables", w.next())
	}
	for {
		a, b, err := w.pair("AND")
		if err != nil {
			return err
		}
		if c[a] == "" || c[b] == "" {
			return fmt.Errorf("EXCHANGE TABLES %s AND %s: both must be there", a, b)
		}
		c[a], c[b] = c[b], c[a]
		if !w.eat(",") {
			return nil
		}
	}
}

var (
	token     = regexp.MustCompile(`\w+|[^\w\s]`)
	plainName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// wordsOf are the words and signs of a statement that are still to be read.
type wordsOf struct{ rest []string }

func (w *wordsOf) next() string {
	if len(w.rest) == 0 {
		return ""
	}
	first := w.rest[0]
	w.rest = w.rest[1:]
	return strings.ToUpper(first)
}

// eat takes the words if they come next.
func (w *wordsOf) eat(words ...string) bool {
	if len(w.rest) < len(words) || !slices.EqualFunc(w.rest[:len(words)], words, strings.EqualFold) {
		return false
	}
	w.rest = w.rest[len(words):]
	return true
}

// name takes a name that needs no quotes, of the database that is migrated.
func (w *wordsOf) name() (string, error) {
	if len(w.rest) == 0 || !plainName.MatchString(w.rest[0]) || (len(w.rest) > 1 && w.rest[1] == ".") {
		return "", fmt.Errorf("%.40q: want a plain name without a database", strings.Join(w.rest, " "))
	}
	name := w.rest[0]
	w.rest = w.rest[1:]
	return name, nil
}

func (w *wordsOf) pair(between string) (a, b string, err error) {
	if a, err = w.name(); err != nil {
		return a, b, err
	}
	if !w.eat(between) {
		return a, b, fmt.Errorf("want %s after %s", between, a)
	}
	b, err = w.name()
	return a, b, err
}
