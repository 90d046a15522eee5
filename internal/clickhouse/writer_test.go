package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate"
)

func testCompressed(t *testing.T, s *Store) {
	far := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	if near := s.compression(&net.TCPAddr{IP: net.IPv6loopback}); near != ch.CompressionDisabled || s.compression(far) != ch.CompressionLZ4 {
		t.Errorf("near: %v, far: %v", near, s.compression(far))
	}
	s.alwaysCompress = true
	testEventsRoundTrip(t, s)
}

// testWriterAfterOutage cuts the connections that lie in the pool, from either end.
func testWriterAfterOutage(t *testing.T, s *Store) {
	insert := func(offset int64) error {
		return insertEvents(t.Context(), s, usageEvent("a", "r", fmt.Sprint(offset), noon(), offset))
	}
	for offset := range int64(3) {
		if err := insert(offset); err != nil {
			t.Fatalf("insert %d: %v", offset, err)
		}
		if n := len(s.writers.idle); n != 1 {
			t.Fatalf("%d writers after %d inserts one after the other, want 1", n, offset+1)
		}
		conn := s.writers.idle[0].conn
		if offset == 0 {
			_ = conn.Conn.Close()
			continue
		}
		if tcp, ok := conn.Conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite() // so that the server hangs up
		}
	}
	// A failed insert is told of, and the next one has a connection of its own.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := insertEvents(ctx, s, usageEvent("a", "r", "no", noon(), 9))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := s.conn.Exec(t.Context(), "RENAME TABLE events TO hidden"); err != nil {
		t.Fatal(err)
	}
	if err := insert(10); err == nil || !strings.Contains(err.Error(), "insert_events") {
		t.Errorf("without a table: %v", err)
	}
	if err := s.conn.Exec(t.Context(), "RENAME TABLE hidden TO events"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for offset := range int64(8) {
		all.Go(func() {
			if err := insert(20 + offset); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := number(t, s, "SELECT toInt64(count()) FROM events"); got != 11 {
		t.Errorf("%d events, want 11", got)
	}
	// A batch that was stored by itself and comes again is dropped whole, also by
	// another connection.
	if err := insert(2); err != nil {
		t.Error(err)
	}
	if got := number(t, s, "SELECT toInt64(count()) FROM events"); got != 11 {
		t.Errorf("%d events after a repeated batch, want 11", got)
	}
}

func TestAServerThatHangsIsNoticedByAnInsert(t *testing.T) {
	s, err := Open(Config{Addresses: []string{hung(t)}, Database: "reckon", Username: "reckon"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = insertEvents(ctx, s, usageEvent("a", "r", "1", noon(), 1))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("insert: %v", err)
	}
	cursor, err := events(ctx, s, aggregate.Scope{From: noon(), To: noon().Add(1)}, aggregate.Lifecycle)
	if err == nil {
		_, err = cursor.Next()
		_ = cursor.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
}

// TestADecimalIsSentAsItIsOrRefused holds the columns against arithmetic on whole
// numbers.
func TestADecimalIsSentAsItIsOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[0-9]{1,80}`).Draw(t, "digits")
		exponent := rapid.Int32Range(-30, 60).Draw(t, "exponent")
		coefficient, _ := new(big.Int).SetString(digits, 10)
		value := decimal.NewFromBigInt(coefficient, exponent)
		for _, column := range []struct {
			kind           string
			digits, places int32
			send           func() (decimal.Decimal, error)
		}{
			{"quantity", 38, 9, func() (decimal.Decimal, error) {
				c := quantityInput{name: "q"}
				if err := c.add(value); err != nil {
					return value, err
				}
				return decimal128(c.ColDecimal128[0], 9), nil
			}},
			{"percent", 9, 4, func() (decimal.Decimal, error) {
				c := percentInput{name: "p"}
				if err := c.add(value); err != nil {
					return value, err
				}
				return decimal.New(int64(c.ColDecimal32[0]), -4), nil
			}},
			{"money", 76, 2, func() (decimal.Decimal, error) {
				c := moneyInput{name: "m", places: 2}
				if err := c.add(value); err != nil {
					return value, err
				}
				return decimal256(c.ColDecimal256[0], 2), nil
			}},
		} {
			// coefficient * 10^(exponent + places) has to be whole and not too big.
			shift := int64(exponent + column.places)
			power := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(shift, -shift)), nil)
			want, rest := new(big.Int).Mul(coefficient, power), new(big.Int)
			if shift < 0 {
				want, rest = new(big.Int).QuoRem(coefficient, power, rest)
			}
			limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(column.digits)), nil)
			holds := rest.Sign() == 0 && want.CmpAbs(limit) < 0
			got, err := column.send()
			if (err == nil) != holds {
				t.Fatalf("%s %s: %v, want it held: %v", column.kind, value, err, holds)
			}
			if holds && (!got.Equal(decimal.NewFromBigInt(want, -column.places)) || got.Exponent() != -column.places) {
				t.Fatalf("%s %s: sent and read back %s", column.kind, value, got)
			}
		}
	})
}
