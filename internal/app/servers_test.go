package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/schemas"
)

// hooked is an empty log that does something when it is asked where it ends.
type hooked struct{ hook func() }

func (h *hooked) Ends(context.Context) ([]schemas.PartitionEnd, error) {
	if h.hook != nil {
		h.hook()
	}
	return nil, nil
}

func (h *hooked) Stored(context.Context) ([]schemas.PartitionEnd, error) { return nil, nil }

// TestASealThatBeganOnAServerIsNotFinishedOnAnother (O10): of two that do not have the
// same rows one goes in the midst of a seal. It breaks off, naming both, and writes
// nothing to the other, now or when it is begun again; once the first is there again, all
// is as if nothing had been.
func TestASealThatBeganOnAServerIsNotFinishedOnAnother(t *testing.T) {
	one, other := embeddedtest.Two(t)
	var ways [2]*clickhousetest.Way
	var alone [2]*clickhouse.Store
	open := func(addresses ...string) *clickhouse.Store {
		e := one.Endpoints()
		s, err := clickhouse.Open(clickhouse.Config{Addresses: addresses, Database: "reckon", Username: e.User, Password: e.Password})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	for i, stack := range []*embedded.Stack{one, other} {
		address := stack.Endpoints().Native
		ways[i], alone[i] = clickhousetest.NewWay(t, address), open(address)
		if _, err := alone[i].Migrate(t.Context(), clickhousetest.Noon()); err != nil {
			t.Fatal(err)
		}
	}
	log, month := &hooked{}, schemas.Month{Year: 2024, Month: time.October}
	billing := config.Billing{Currency: "VND", Location: time.UTC, FirstMonth: month.String()}
	v, err := Wire(log, open(ways[0].Address, ways[1].Address), &billing, clickhousetest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	v.Empty = true
	runs := func(i int) int {
		all, err := alone[i].Runs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	ends := func(err error, names ...string) {
		t.Helper()
		if (err == nil) != (names == nil) {
			t.Errorf("ended with %v", err)
		}
		for _, name := range names {
			if err != nil && !strings.Contains(err.Error(), name) {
				t.Errorf("%v does not name %s", err, name)
			}
		}
	}
	seal := func() error {
		_, err := v.Seal(t.Context(), month)
		return err
	}
	log.hook = func() { ways[0].Close(true) }
	ends(seal(), ways[0].Address, ways[1].Address)
	log.hook = nil
	show := func(schemas.Invoice, []schemas.Line) error { return nil }
	for _, again := range []func() error{
		seal,
		func() error { _, err := v.SealDue(t.Context()); return err },
		func() error { _, err := v.SettleAll(t.Context()); return err },
		func() error { return v.Preview(t.Context(), month, show) },
		func() error { return v.PreviewAll(t.Context(), show) },
	} {
		ends(again(), "clickhouse.addresses", ways[0].Address, ways[1].Address)
	}
	if n := runs(0) + runs(1); n != 0 {
		t.Errorf("%d runs were written down", n)
	}
	ways[0].Close(false)
	ways[1].Close(true)
	ends(seal())
	if runs(0) != 1 || runs(1) != 0 {
		t.Errorf("%d runs are on the server where it was begun, %d on the other", runs(0), runs(1))
	}
}
