package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Config says where the store is.
type Config struct {
	// Addresses are host:port of the native protocol, tried in order.
	Addresses []string
	// Database is made by Migrate; never "default", which refuses some things.
	Database, Username, Password string
	// TLS is nil for none.
	TLS *tls.Config
	// Cluster is the cluster that migrations are made for, empty for a single
	// server.
	Cluster string
	// Digits is the number of decimals of the currency's minor unit (VND: 0).
	Digits int32
}

// Store is a ClickHouse database. It is safe for concurrent use.
type Store struct {
	config      Config
	conn        driver.Conn
	connections *connections
	writers     writers
	inserts     *inserts
	// alwaysCompress is for tests, whose servers are near.
	alwaysCompress bool
	// laneRows is how many rows of a month make a part worth a lane of its own.
	laneRows int64
}

var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Open checks the configuration; it does not connect, since the database may
// not be there before Migrate. Close releases what the store holds.
func Open(config Config) (*Store, error) {
	switch {
	case len(config.Addresses) == 0:
		return nil, errors.New("open clickhouse: no address")
	case !databaseName.MatchString(config.Database) || config.Database == "default" || config.Database == "system":
		return nil, fmt.Errorf("open clickhouse: database %q: want a name of our own of letters, digits and '_'", config.Database)
	}
	s := &Store{config: config, connections: newConnections(), inserts: newInserts(), laneRows: laneRows}
	var err error
	if s.conn, err = driver.Open(s.options(config.Database)); err != nil {
		return nil, fmt.Errorf("open clickhouse: %w", err)
	}
	return s, nil
}

// EndWith cuts every connection soon after ctx has ended: queries are cancelled
// at once, but a server that hangs would hold their callers.
func (s *Store) EndWith(ctx context.Context) {
	context.AfterFunc(ctx, func() { time.AfterFunc(stopPatience, s.connections.cut) })
}

// Ping asks the server for a sign of life in the store's database.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.conn.Ping(ctx); err != nil {
		return fmt.Errorf("ping clickhouse: %w", err)
	}
	return nil
}

// Close closes every connection.
func (s *Store) Close() error {
	s.writers.close()
	if err := s.conn.Close(); err != nil {
		return fmt.Errorf("close clickhouse: %w", err)
	}
	return nil
}

// spillBytes is where sorting and grouping go to disk, so that a big month
// takes time and not the server's memory.
const spillBytes = 1 << 30

// settings are those of every connection.
func (s *Store) settings() driver.Settings {
	settings := driver.Settings{
		// An insert is acknowledged when its rows are in a part, not in a buffer
		// (async_insert is on by default since 26.2); should a profile force the
		// buffer on us, then at least not before it is written.
		"async_insert":          0,
		"wait_for_async_insert": 1,
		// A DELETE has happened when it returns, on every replica.
		"mutations_sync":           2,
		"lightweight_deletes_sync": 2,
		// Dates in text are UTC, whatever the server's zone.
		"session_timezone": "UTC",

		"max_bytes_before_external_sort":     spillBytes,
		"max_bytes_before_external_group_by": spillBytes,
	}
	if s.config.Cluster != "" {
		// Acknowledged rows outlive the loss of a replica.
		settings["insert_quorum"] = "auto"
		// Forget's conditions ask another table, which no insert changes meanwhile.
		settings["allow_nondeterministic_mutations"] = 1
	}
	return settings
}

// options are those of a connection in the given database.
func (s *Store) options(database string) *driver.Options {
	c := &s.config
	return &driver.Options{
		Addr:     c.Addresses,
		Auth:     driver.Auth{Database: database, Username: c.Username, Password: c.Password},
		Settings: s.settings(),
		DialContext: func(ctx context.Context, address string) (net.Conn, error) {
			return s.connections.dial(ctx, address, c.TLS)
		},
		// The first address that answers, so that one process reads its own writes.
		ConnOpenStrategy: driver.ConnOpenInOrder,
		DialTimeout:      dialTimeout,
		MaxOpenConns:     maxConnections,
		MaxIdleConns:     idleConnections,
	}
}

// maxConnections bounds what one process opens: a goroutine a partition while
// ingesting, a handful of cursors while sealing.
const (
	maxConnections  = 64
	idleConnections = 16
)
