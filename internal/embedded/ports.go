package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Ports are the loopback ports of a stack; 0 takes any free one.
type Ports struct {
	Kafka  int
	Native int // ClickHouse's native protocol
	HTTP   int // ClickHouse over HTTP
}

// freePorts returns n ports that nobody listens on at this moment. They are
// held together, so they differ; somebody may still take one before we do.
func freePorts(ctx context.Context, n int) (ports []int, err error) {
	for range n {
		var config net.ListenConfig
		l, e := config.Listen(ctx, "tcp", loopback(0))
		if e != nil {
			return nil, errors.Join(fmt.Errorf("find a free port: %w", e), err)
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		_, port, e := net.SplitHostPort(l.Addr().String())
		if e != nil {
			return nil, fmt.Errorf("find a free port: %w", e)
		}
		number, e := strconv.Atoi(port)
		if e != nil {
			return nil, fmt.Errorf("find a free port: %w", e)
		}
		ports = append(ports, number)
	}
	return ports, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
