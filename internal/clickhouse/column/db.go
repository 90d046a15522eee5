package column

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"net"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Config says where a database is.
type Config struct {
	// Addresses are host:port of the native protocol. They are tried in order until one
	// answers, which is kept to for as long as it does.
	Addresses []string
	// Database may be empty to connect before there is one.
	Database, Username, Password string
	// TLS is nil for none.
	TLS *tls.Config
	// Replicated is for a server of a cluster.
	Replicated bool
	// Compress packs what is read and inserted by column even where the server is near.
	Compress bool
}

// DB is a database and the statements that are asked of it. It is safe for
// concurrent use.
type DB struct {
	*pool
	statements []fs.FS
	keeper     *keeper // nil: whichever server answers
}

// pool is the connections to a database, of which some are row by row and some by
// column.
type pool struct {
	config      Config
	conn        driver.Conn
	connections *connections
	idle        idle
	seat        seat
}

// Open makes the database known; it does not connect, since it may not be there yet.
// Close releases what it holds.
func Open(config Config) (*DB, error) {
	p := &pool{config: config, connections: newConnections(), seat: seat{addresses: config.Addresses}}
	var err error
	if p.conn, err = driver.Open(p.options()); err != nil {
		return nil, err
	}
	return &DB{pool: p}, nil
}

// With is the same database by the same connections, with the statements of folders:
// files queries/NAME.sql, which may have {{PART}} in them, and queries/parts/PART.sql.
func (db *DB) With(folders ...fs.FS) *DB { return &DB{db.pool, folders, db.keeper} }

// EndWith cuts every connection soon after ctx has ended: queries are cancelled
// at once, but a server that hangs would hold their callers.
func (db *DB) EndWith(ctx context.Context) {
	context.AfterFunc(ctx, func() { time.AfterFunc(stopPatience, db.connections.cut) })
}

// Ping asks the server for a sign of life in the database.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.conn.Ping(ctx); err != nil {
		return fmt.Errorf("ping clickhouse: %w", err)
	}
	return nil
}

// Close closes every connection.
func (db *DB) Close() error {
	db.idle.close()
	if err := db.conn.Close(); err != nil {
		return fmt.Errorf("close clickhouse: %w", err)
	}
	return nil
}

// spillBytes is where sorting and grouping go to disk, so that much to read takes
// time and not the server's memory.
const spillBytes = 1 << 30

// settings are those of every connection.
func (p *pool) settings() Settings {
	settings := Settings{
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
	if p.config.Replicated {
		// Acknowledged rows outlive the loss of a replica.
		settings["insert_quorum"] = "auto"
		// The condition of a DELETE may ask another table: one that no insert changes
		// meanwhile.
		settings["allow_nondeterministic_mutations"] = 1
	}
	return settings
}

// options are those of a connection.
func (p *pool) options() *driver.Options {
	c := &p.config
	return &driver.Options{
		Addr:     c.Addresses,
		Auth:     driver.Auth{Database: c.Database, Username: c.Username, Password: c.Password},
		Settings: driver.Settings(p.settings()),
		DialContext: func(ctx context.Context, address string) (net.Conn, error) {
			return p.connections.dial(ctx, address, c.TLS)
		},
		DialStrategy: p.dialFirst,
		DialTimeout:  dialTimeout,
		MaxOpenConns: maxConnections,
		MaxIdleConns: idleConnections,
	}
}

// maxConnections bounds what one process opens row by row.
const (
	maxConnections  = 64
	idleConnections = 16
)
