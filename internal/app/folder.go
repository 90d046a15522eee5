package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/telemetry"
)

// Claim is what a process does about a data folder that others use already. It
// always waits for those that end by themselves: their engines go when they do.
type Claim int

const (
	// Join uses the engines of a process that serves there. Where there is none it
	// starts them.
	Join Claim = iota
	// Own has the folder for itself, or is refused by a process that serves there.
	Own
	// Alone has the folder at once or not at all.
	Alone
)

// lookEvery is how often a process looks whether the data folder is free.
const lookEvery = 100 * time.Millisecond

// embed starts what is embedded on the data folder, or finds the engines that run
// there, as the claim says.
func (a *App) embed(ctx context.Context) error {
	var told embedded.Holder
	for looks := 0; ; looks++ {
		stack, err := embedded.Start(ctx, a.embeddedOptions())
		var taken *embedded.LockedError
		switch {
		case err == nil:
			a.own(stack)
			return nil
		case !errors.As(err, &taken):
			return fmt.Errorf("start the embedded stack: %w", err)
		case a.Claim == Alone, a.Claim == Own && taken.Holder.Serves:
			return err
		case taken.Holder.Serves:
			if found, err := a.join(taken.Holder); found || err != nil {
				return err
			}
		}
		// A change of hands takes less than two looks, and is not worth a word.
		if looks > 0 && told != taken.Holder {
			told = taken.Holder
			a.tellWaiting(told)
		}
		telemetry.Sleep(ctx, lookEvery)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// embeddedOptions are what is embedded: whatever the settings name no server for.
func (a *App) embeddedOptions() embedded.Options {
	c := &a.Config
	ports := embedded.Ports{Kafka: c.Kafka.Embedded.Port, Native: c.ClickHouse.Embedded.NativePort, HTTP: c.ClickHouse.Embedded.HTTPPort}
	// A port that was asked for is that one or none.
	fixed := ports != embedded.Ports{}
	if !fixed {
		ports = a.Ports
	}
	return embedded.Options{
		DataDir: c.DataDir, EngineDir: c.EngineDir, Log: a.Log, Ports: ports, PortsFixed: fixed,
		MemoryBytes: int64(c.ClickHouse.Embedded.Memory), As: embedded.Holder{Command: a.Command, Serves: a.Serves},
		NoKafka: !c.Kafka.UsesEmbedded(), NoClickHouse: !c.ClickHouse.UsesEmbedded(),
	}
}

// own takes over a stack that was started for this process.
func (a *App) own(stack *embedded.Stack) {
	a.stack, a.endpoints = stack, stack.Endpoints()
	a.cleanups.add("embedded stack", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), a.Patience)
		defer cancel()
		return stack.Close(ctx)
	})
}

// join finds the engines of a process that serves on the data folder. While that
// starts or ends there are none.
func (a *App) join(holder embedded.Holder) (found bool, err error) {
	running, err := embedded.ReadEndpoints(a.Config.DataDir)
	if errors.Is(err, embedded.ErrNotRunning) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, need := range []struct {
		embedded          bool
		address, settings string
	}{
		{a.Config.Kafka.UsesEmbedded(), running.Kafka, "kafka.brokers"},
		{a.Config.ClickHouse.UsesEmbedded(), running.Native, "clickhouse.addresses"},
	} {
		if need.embedded && need.address == "" {
			return false, fmt.Errorf("data folder %s: the settings of %s name %s, and yours do not", a.Config.DataDir, holder, need.settings)
		}
	}
	a.endpoints = running
	return true, nil
}

// tellWaiting says for whom this process waits.
func (a *App) tellWaiting(holder embedded.Holder) {
	if a.Waiting != nil {
		a.Waiting(holder)
		return
	}
	a.Log.Info("waiting for the data folder", "folder", a.Config.DataDir, "used_by", holder.String())
}
