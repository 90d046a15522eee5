package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/schemas"
)

// sealMode is the hidden first argument by which this program becomes a process
// that seals one month and tells what that took.
const sealMode = "seal"

// sealOrder says what to seal. It is handed to the process as JSON.
type sealOrder struct {
	Endpoints embedded.Endpoints
	Database  string
	// First is the month with which billing begins, Month the one to seal.
	First, Month schemas.Month
	// Ends are those of the log.
	Ends []schemas.PartitionEnd
	// Trace asks for what each part took, which costs time itself.
	Trace bool
	// Profile is the file for a CPU profile, empty for none.
	Profile string
}

// sealed is what sealing took.
type sealed struct {
	Seconds float64
	// CPUSeconds and PeakBytes are those of the process from its start.
	CPUSeconds float64
	PeakBytes  int64
	// EngineSeconds is the CPU time of ClickHouse meanwhile.
	EngineSeconds   float64
	Invoices, Lines int64
	Total           string
	Parts           []part
}

// seal runs the order in a process of its own.
func (o *sealOrder) seal(ctx context.Context) (sealed, error) {
	var result sealed
	order, err := json.Marshal(o)
	if err != nil {
		return result, fmt.Errorf("seal %s: %w", o.Month, err)
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", sealMode)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(order), os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &result)
	}
	if err != nil {
		return result, fmt.Errorf("seal %s in a process of its own: %w", o.Month, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return result, errors.New("the system does not tell what a process used")
	}
	result.CPUSeconds = cpuSeconds(usage)
	return result, nil
}

// sealMain is the process.
func sealMain(stdin io.Reader, stdout io.Writer, now func() time.Time) error {
	var o sealOrder
	if err := json.NewDecoder(stdin).Decode(&o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	if o.Profile != "" {
		f, err := os.Create(o.Profile)
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer f.Close() //nolint:errcheck // a profile that is cut short says so when read
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	telemetry.LimitSealMemory()
	result, err := o.run(context.Background(), now)
	if err != nil {
		return err
	}
	if result.PeakBytes, err = peakBytes(os.Getpid()); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
}

// run seals as reckon is wired, but for the log: the events were put into the store
// without Kafka, so the order says where it ends.
func (o *sealOrder) run(ctx context.Context, now func() time.Time) (sealed, error) {
	var result sealed
	billing, err := zone()
	if err != nil {
		return result, err
	}
	currency := schemas.Currency{Code: "VND"}
	store, err := clickhouse.Open(clickhouse.Config{
		Addresses: []string{o.Endpoints.Native}, Database: o.Database,
		Username: o.Endpoints.User, Password: o.Endpoints.Password, Digits: currency.Digits,
	})
	if err != nil {
		return result, err
	}
	defer store.Close() //nolint:errcheck // all that counts was acknowledged
	began := now()
	// The wall clock may stand before the month's end.
	clock := func() time.Time { return o.Month.End(billing).Add(2 * time.Hour).Add(now().Sub(began)) }
	v, err := app.Wire(fixedLog(o.Ends), store, &config.Billing{
		Currency: currency.Code, MinorDigits: currency.Digits, Location: billing, FirstMonth: o.First.String(), Grace: time.Hour,
	}, clock)
	if err != nil {
		return result, err
	}
	var t *trace
	if o.Trace {
		t = traced(v.Invoicer, store, billing, now)
	}
	seals, err := v.Seal(ctx, o.Month)
	result.Seconds = now().Sub(began).Seconds()
	if err != nil {
		return result, fmt.Errorf("seal %s: %w", o.Month, err)
	}
	for _, s := range seals {
		if len(s.Parked) > 0 {
			return result, fmt.Errorf("seal %s: account %q is parked: %s", s.Month, s.Parked[0].AccountID, s.Parked[0].Reason)
		}
		result.Invoices, result.Lines = result.Invoices+s.Totals.Invoices, result.Lines+s.Totals.Lines
		result.Total = currency.Format(s.Totals.Amounts.TotalAmount)
	}
	if t != nil {
		result.Parts = t.parts(result.Seconds)
	}
	return result, nil
}

// fixedLog is a log that ends where it is told, all of it stored.
type fixedLog []schemas.PartitionEnd

func (l fixedLog) Ends(context.Context) ([]schemas.PartitionEnd, error)   { return l, nil }
func (l fixedLog) Stored(context.Context) ([]schemas.PartitionEnd, error) { return l, nil }
