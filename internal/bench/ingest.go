package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/kafka"
)

// round is one emptying of the topic.
type round struct {
	perSecond float64
	// The CPU time of an event in microseconds, by process.
	reckon, engine, broker float64
	// The most memory that reckon or, in a rival's round, ClickHouse took.
	peakBytes int64
}

// ingest measures how fast a waiting topic is emptied into the table.
func (b *bench) ingest(ctx context.Context) (section, error) {
	n := b.sizes.ingest
	s := section{
		Title: "Ingest",
		Note: fmt.Sprintf("%s usage events of about 370 bytes wait on %d partitions, lz4. The rival is ClickHouse's Kafka engine\n"+
			"with two consumers and a materialized view that fills the same columns of the same table, reading\n"+
			"from the same broker; reckon is `reckon ingest` as shipped. Timed from its start until the last event is\n"+
			"stored; %d pairs in turn.", short(float64(n)), partitions, b.pairs),
	}
	err := b.onServers(ctx, func(srv *servers) error {
		if err := b.fillTopic(ctx, srv, n); err != nil {
			return err
		}
		var rivals, ours []round
		for i := range b.pairs {
			for turn := range 2 {
				rival := (i+turn)%2 == 0
				r, err := b.emptyTopic(ctx, srv, n, rival)
				if err != nil {
					return err
				}
				if rival {
					rivals = append(rivals, r)
				} else {
					ours = append(ours, r)
				}
			}
		}
		s.Figures = ingestFigures(ours, rivals)
		return nil
	})
	return s, err
}

func ingestFigures(ours, rivals []round) []figure {
	pick := func(rounds []round, of func(round) float64) []float64 {
		var values []float64
		for _, r := range rounds {
			values = append(values, of(r))
		}
		return values
	}
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i].perSecond / rivals[i].perSecond
	}
	speed := func(r round) float64 { return r.perSecond }
	return []figure{
		{"ingest_ratio", "reckon to the Kafka engine", "times", "≥ 1.5", ratios},
		{"ingest_reckon_per_second", "reckon", "events/s", "", pick(ours, speed)},
		{"ingest_rival_per_second", "Kafka engine", "events/s", "", pick(rivals, speed)},
		{"ingest_reckon_cpu_us", "reckon: CPU of its process", "µs/event", "≤ 4", pick(ours, func(r round) float64 { return r.reckon })},
		{"ingest_reckon_engine_cpu_us", "reckon: CPU of ClickHouse meanwhile", "µs/event", "", pick(ours, func(r round) float64 { return r.engine })},
		{"ingest_rival_engine_cpu_us", "Kafka engine: CPU of ClickHouse", "µs/event", "", pick(rivals, func(r round) float64 { return r.engine })},
		{"ingest_reckon_broker_cpu_us", "reckon: CPU of the broker", "µs/event", "", pick(ours, func(r round) float64 { return r.broker })},
		{"ingest_rival_broker_cpu_us", "Kafka engine: CPU of the broker", "µs/event", "", pick(rivals, func(r round) float64 { return r.broker })},
		{"ingest_reckon_peak_mib", "reckon: peak memory of its process", "MiB", "≤ 1024", pick(ours, func(r round) float64 { return mib(r.peakBytes) })},
		{"ingest_rival_peak_mib", "Kafka engine: peak memory of ClickHouse", "MiB", "", pick(rivals, func(r round) float64 { return mib(r.peakBytes) })},
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// fillTopic makes the topics and puts n events on the one for usage.
func (b *bench) fillTopic(ctx context.Context, srv *servers, n int) error {
	k, err := kafka.New(kafka.Config{Brokers: []string{srv.Kafka}, Now: b.now})
	if err != nil {
		return err
	}
	if err := makeTopics(ctx, k); err != nil {
		return err
	}
	began := b.now()
	if err := produce(ctx, k, b.usage(n), n); err != nil {
		return err
	}
	b.say("%d events wait on the topic after %.1f s", n, b.now().Sub(began).Seconds())
	return nil
}

// usage are n events over the month.
func (b *bench) usage(n int) *usageMessages {
	from, to := month().Start(b.zone), month().End(b.zone)
	return &usageMessages{from: from, step: to.Sub(from) / time.Duration(n)}
}

// emptyTopic lets reckon or its rival read all n events into tables of their own.
func (b *bench) emptyTopic(ctx context.Context, srv *servers, n int, rival bool) (r round, err error) {
	b.rounds++
	name := "ingest_" + strconv.Itoa(b.rounds)
	db := newDatabase(srv.Endpoints, name)
	defer db.close()
	if err := b.migrate(ctx, srv, name); err != nil {
		return r, err
	}
	// The tables stay, see round, but nothing is to be done for them any more.
	defer func() {
		for _, table := range []string{"events", "identities"} {
			_, stopped := db.exec(ctx, "SYSTEM STOP MERGES "+table)
			err = errors.Join(err, stopped)
		}
	}()
	m, err := b.measure(srv)
	if err != nil {
		return r, err
	}
	var reckonCPU float64
	var seconds float64
	if rival {
		seconds, r.peakBytes, err = b.rivalIngest(ctx, srv, db, n, m)
	} else {
		seconds, reckonCPU, r.peakBytes, err = b.reckonIngest(ctx, srv, db, n, m)
	}
	if err != nil {
		return r, err
	}
	events := float64(n)
	r.perSecond = events / seconds
	r.reckon, r.engine, r.broker = reckonCPU*1e6/events, m.engine*1e6/events, m.broker*1e6/events
	who := "reckon"
	if rival {
		who = "rival"
	}
	b.say("%-6s %9.0f events/s; CPU µs/event: reckon %.2f, ClickHouse %.2f, broker %.2f; peak %.0f MiB",
		who, r.perSecond, r.reckon, r.engine, r.broker, mib(r.peakBytes))
	return r, nil
}

// rivalIngest is the Kafka engine's turn.
func (b *bench) rivalIngest(ctx context.Context, srv *servers, db *database, n int, m *meter) (seconds float64, peak int64, err error) {
	// A block holds at most half of the topic, so that both consumers work; an
	// idle consumer gives up its block after ten polls.
	parameters := map[string]any{"Broker": srv.Kafka, "Group": db.name, "Block": min(262_144, n/4), "Flush": 7500, "Poll": 20}
	if _, err := db.run(ctx, "kafka_queue", parameters); err != nil {
		return 0, 0, err
	}
	began := b.now()
	if _, err := db.run(ctx, "kafka_view", parameters); err != nil {
		return 0, 0, err
	}
	if err := b.waitForRows(ctx, db, n); err != nil {
		return 0, 0, err
	}
	seconds = b.now().Sub(began).Seconds()
	if err := m.stop(); err != nil {
		return 0, 0, err
	}
	if peak, err = peakBytes(srv.engine); err != nil {
		return 0, 0, err
	}
	for _, name := range []string{"filler", "queue"} {
		if _, err := db.exec(ctx, "DROP TABLE "+name+" SYNC"); err != nil {
			return 0, 0, err
		}
	}
	return seconds, peak, nil
}

// reckonIngest is reckon's turn.
func (b *bench) reckonIngest(
	ctx context.Context, srv *servers, db *database, n int, m *meter,
) (seconds, cpu float64, peak int64, err error) {
	began := b.now()
	cmd, err := b.startIngest(ctx, srv, db.name)
	if err != nil {
		return 0, 0, 0, err
	}
	err = b.waitForRows(ctx, db, n)
	seconds = b.now().Sub(began).Seconds()
	if err == nil {
		err = m.stop()
	}
	if err == nil {
		peak, err = peakBytes(cmd.Process.Pid)
	}
	stopped := stopIngest(cmd)
	if err = errors.Join(err, stopped); err != nil {
		return 0, 0, 0, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, 0, errors.New("the system does not tell what a process used")
	}
	return seconds, cpuSeconds(usage), peak, nil
}

// startIngest starts the stage as a process of its own, its settings as shipped.
func (b *bench) startIngest(ctx context.Context, srv *servers, name string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, b.reckon, "ingest")
	cmd.Env = append(os.Environ(),
		"RECKON_KAFKA_BROKERS="+srv.Kafka, "RECKON_KAFKA_GROUP="+name,
		"RECKON_CLICKHOUSE_ADDRESSES="+srv.Native, "RECKON_CLICKHOUSE_DATABASE="+name,
		"RECKON_CLICKHOUSE_USERNAME="+srv.User, "RECKON_CLICKHOUSE_PASSWORD="+srv.Password,
		"RECKON_LISTEN=127.0.0.1:0", "RECKON_LOG_LEVEL=warn",
	)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start reckon ingest: %w", err)
	}
	return cmd, nil
}

// stopIngest stops it as an operator does.
func stopIngest(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop reckon ingest: %w", err)
	}
	err := cmd.Wait()
	// It was told to stop: any way of ending well will do.
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("stop reckon ingest: %w", err)
	}
	return nil
}

const (
	pollEvery = 20 * time.Millisecond
	// patience is how long no row at all may be stored.
	patience = 2 * time.Minute
)

// waitForRows waits until the events are in the table.
func (b *bench) waitForRows(ctx context.Context, db *database, n int) error {
	last, moved := -1, b.now()
	for {
		text, err := db.exec(ctx, "SELECT count() FROM events")
		if err != nil {
			return err
		}
		rows, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("count the rows of %s: %w", db.name, err)
		}
		// Both deliver at least once, so there may be more rows than events.
		if rows >= n {
			return nil
		}
		if rows != last {
			last, moved = rows, b.now()
		}
		if b.now().Sub(moved) > patience {
			return fmt.Errorf("%s has stood at %d of %d events for %s", db.name, rows, n, patience)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// migrate makes the tables.
func (b *bench) migrate(ctx context.Context, srv *servers, name string) (err error) {
	store, err := clickhouse.Open(clickhouse.Config{
		Addresses: []string{srv.Native}, Database: name, Username: srv.User, Password: srv.Password,
	})
	if err != nil {
		return err
	}
	_, err = store.Migrate(ctx, b.now())
	return errors.Join(err, store.Close())
}
