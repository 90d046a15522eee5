package column

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Server tells one server from another.
type Server struct {
	// Address is the one of the settings by which it was reached.
	Address string
	// Name is its host and port as it says itself. UUID is drawn when its data folder is
	// made; all zeros of an embedded engine, which has none.
	Name, UUID string
}

// Same tells whether both are one: a server may come to another host.
func (s Server) Same(o Server) bool {
	if none := strings.Trim(s.UUID+o.UUID, "0-") == ""; none {
		return s.Name == o.Name
	}
	return s.UUID == o.UUID
}

func (s Server) String() string { return fmt.Sprintf("%s (%s, %s)", s.Address, s.Name, s.UUID) }

const serverQuery = "SELECT concat(hostName(), ':', toString(tcpPort())) AS name, toString(serverUUID()) AS uuid"

// Server asks the server which it is.
func (db *DB) Server(ctx context.Context) (s Server, err error) {
	if err := db.conn.QueryRow(ctx, serverQuery).Scan(&s.Name, &s.UUID); err != nil {
		return s, fmt.Errorf("ask the server which it is: %w", err)
	}
	s.Address, _ = db.seat.now()
	return s, nil
}

// whose asks the server of a connection which it is, once.
func (c *nativeClient) whose(ctx context.Context) (Server, error) {
	if c.server.Name != "" {
		return c.server, nil
	}
	stop := context.AfterFunc(ctx, c.conn.interrupt)
	defer stop()
	var name, uuid proto.ColStr
	err := c.Do(ctx, ch.Query{Body: serverQuery, Result: proto.Results{{Name: "name", Data: &name}, {Name: "uuid", Data: &uuid}}})
	if err != nil {
		return c.server, fmt.Errorf("ask the server which it is: %w", err)
	}
	if name.Rows() != 1 {
		return c.server, errors.New("the server does not say which it is")
	}
	c.server = Server{Address: c.conn.address, Name: name.Row(0), UUID: uuid.Row(0)}
	return c.server, nil
}

// seat is the address that the connections of a pool go to: the first that answers, and
// another only when that does not any more. No two servers are asked at once, so that a
// process reads what it wrote (O10).
type seat struct {
	addresses []string

	mu    sync.Mutex
	at    int
	moves int
}

// now is the address, and how often it was another before.
func (s *seat) now() (address string, moves int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addresses[s.at], s.moves
}

// first tries the addresses, the present one first, until one answers. Connections to
// any other are cut then.
func (p *pool) first(ctx context.Context, try func(address string) error) error {
	s := &p.seat
	s.mu.Lock()
	begin := s.at
	s.mu.Unlock()
	var errs []error
	for i := range s.addresses {
		at := (begin + i) % len(s.addresses)
		err := try(s.addresses[at])
		if err == nil {
			p.sit(at)
			return nil
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

func (p *pool) sit(at int) {
	s := &p.seat
	s.mu.Lock()
	moved := s.at != at
	if moved {
		s.at, s.moves = at, s.moves+1
	}
	s.mu.Unlock()
	if moved {
		p.connections.cutAllBut(s.addresses[at])
	}
}

// dialFirst is how the connections row by row are made.
func (p *pool) dialFirst(ctx context.Context, _ int, o *driver.Options, dial driver.Dial) (r driver.DialResult, err error) {
	err = p.first(ctx, func(address string) error {
		r, err = dial(ctx, address, o)
		return err
	})
	return r, err
}

// keeper holds all that is asked of a database to one server.
type keeper struct {
	mu            sync.Mutex
	first, server Server
	moves         int
}

// OneServer is the same database by the same connections, of which whatever is asked
// since the last Keep is asked of one server, or fails with a [*MovedError].
func (db *DB) OneServer() *DB { return &DB{db.pool, db.statements, &keeper{}} }

// Keep begins to hold a [DB.OneServer] to the server that answers now, which it returns
// with the first that it was held to.
func (db *DB) Keep(ctx context.Context) (now, first Server, err error) {
	var moves int
	for asked := false; !asked; {
		_, moves = db.seat.now()
		if now, err = db.Server(ctx); err != nil {
			return now, first, err
		}
		_, after := db.seat.now()
		asked = moves == after
	}
	k := db.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.server, k.moves = now, moves; k.first.Name == "" {
		k.first = now
	}
	return now, k.first, nil
}

// MovedError says that another server answers than the one that was kept to.
type MovedError struct{ Was, Is string }

func (e *MovedError) Error() string {
	return fmt.Sprintf("it was begun on ClickHouse server %s, and now %s answers: they may not have the same rows, so that it breaks off here and is to be begun again", e.Was, e.Is)
}

// kept is err, unless the server is another than the one that is kept to: that is why
// then, and what was read is void.
func (db *DB) kept(err error) error {
	if db.keeper == nil {
		return err
	}
	address, moves := db.seat.now()
	db.keeper.mu.Lock()
	defer db.keeper.mu.Unlock()
	if k := db.keeper; k.server.Name != "" && moves != k.moves {
		return &MovedError{k.server.String(), address}
	}
	return err
}

// keptTo is an error where a connection is one to another server.
func (db *DB) keptTo(ctx context.Context, c *nativeClient) error {
	if db.keeper == nil {
		return nil
	}
	if err := db.kept(nil); err != nil {
		return err
	}
	db.keeper.mu.Lock()
	keep := db.keeper.server
	db.keeper.mu.Unlock()
	if keep.Name == "" {
		return nil
	}
	is, err := c.whose(ctx)
	if err == nil && !is.Same(keep) {
		err = &MovedError{keep.String(), is.String()}
	}
	return err
}
