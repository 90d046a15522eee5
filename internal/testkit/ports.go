package testkit

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"
)

// FreePorts are loopback ports, all different, that nobody listens on now.
func FreePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }()        // all at the end, so that no port comes twice
		ports[i] = l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a listener on TCP
	}
	return ports, nil
}

// MustFreePorts is FreePorts for tests.
func MustFreePorts(t testing.TB, n int) []int {
	t.Helper()
	ports, err := FreePorts(n)
	if err != nil {
		t.Fatal(err)
	}
	return ports
}

// FreeAddress is a loopback host:port that nobody listens on now.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return Loopback(MustFreePorts(t, 1)[0])
}

// Loopback is the address of a port of this machine.
func Loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// Port is that of an address, host:port.
func Port(t testing.TB, addr string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
