package clickhouse

import (
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"regexp"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/events"
	"github.com/reckon-billing/reckon/internal/clickhouse/invoices"
	"github.com/reckon-billing/reckon/internal/clickhouse/logs"
	"github.com/reckon-billing/reckon/internal/clickhouse/runs"
)

// Config says where the store is.
type Config struct {
	// Addresses are host:port of the native protocol: the first that answers is kept to
	// for as long as it does. Several are of replicas of a cluster.
	Addresses []string
	// Database is made by Migrate; never "default", which refuses some things.
	Database, Username, Password string
	// TLS is nil for none.
	TLS *tls.Config
	// Cluster is the cluster that migrations are made for, of one shard; empty for a
	// single server.
	Cluster string
	// Digits is the number of decimals of the currency's minor unit (VND: 0).
	Digits int32
}

// Store is a ClickHouse database. It is safe for concurrent use.
type Store struct {
	*eventStore
	*invoiceStore
	*runStore
	*logStore

	db     *column.DB
	config Config
}

// The stores of the stages are parts of it by these names.
type (
	eventStore   = events.Store
	invoiceStore = invoices.Store
	runStore     = runs.Store
	logStore     = logs.Store
)

var (
	_ aggregate.Source = (*Store)(nil)
	_ audit.Resource   = oneResource{}
)

var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

//go:embed queries/*.sql
var queries embed.FS

// Open checks the configuration; it does not connect, since the database may
// not be there before Migrate. Close releases what the store holds.
func Open(config Config) (*Store, error) {
	switch {
	case len(config.Addresses) == 0:
		return nil, errors.New("open clickhouse: no address")
	case !databaseName.MatchString(config.Database) || config.Database == "default" || config.Database == "system":
		return nil, fmt.Errorf("open clickhouse: database %q: want a name of our own of letters, digits and '_'", config.Database)
	}
	db, err := config.open(config.Database)
	if err != nil {
		return nil, fmt.Errorf("open clickhouse: %w", err)
	}
	return newStore(db, config), nil
}

func newStore(db *column.DB, config Config) *Store {
	s := &Store{db: db, config: config, eventStore: events.New(db), invoiceStore: invoices.New(db, config.Digits)}
	s.runStore, s.logStore = runs.New(db, config.Digits, s.CatchUp), logs.New(db, s.CatchUp)
	return s
}

// open makes a database of the server known.
func (c *Config) open(database string) (*column.DB, error) {
	db, err := column.Open(column.Config{
		Addresses: c.Addresses, Database: database, Username: c.Username, Password: c.Password, TLS: c.TLS, Replicated: c.Cluster != "",
	})
	if err != nil {
		return nil, err
	}
	return db.With(queries), nil
}

// EndWith cuts every connection soon after ctx has ended: queries are cancelled
// at once, but a server that hangs would hold their callers.
func (s *Store) EndWith(ctx context.Context) { s.db.EndWith(ctx) }

// Ping asks the server for a sign of life in the store's database.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Close closes every connection.
func (s *Store) Close() error { return s.db.Close() }

// oneResource is what the stores have of one resource alone.
type oneResource struct {
	eventsOf
	invoicesOf
}

type (
	eventsOf   = events.Resource
	invoicesOf = invoices.Resource
)

// OneResource narrows the store to one resource.
func (s *Store) OneResource(account, resource string) audit.Resource {
	return oneResource{s.eventStore.OneResource(account, resource), s.invoiceStore.OneResource(account, resource)}
}
