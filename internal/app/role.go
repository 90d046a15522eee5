package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/telemetry"
)

// Role names what a process is for.
type Role string

// The roles.
const (
	// Up is every stage in one process.
	Up Role = "up"
	// Ingest moves events to the store; there may be as many as partitions.
	Ingest Role = "ingest"
	// Invoicer seals what is due; there may be several, of which one does the work.
	Invoicer Role = "invoicer"
)

// role is a row of the table of roles.
type role struct {
	name Role
	// stages are started in this order, each supervised by itself.
	stages []stage
	// prepares: tables and topics are made where they are missing, on servers too.
	prepares bool
	// claim is what becomes of it where others use the data folder.
	claim Claim
	// usualPorts: the embedded stack takes ports that producers find again.
	usualPorts bool
	// limitMemory bounds a process that does nothing but this, where the broker is
	// not in it; nil for no bound.
	limitMemory func(*config.Config)
}

// stage is a name and how it is made: what is made runs until its context ends
// or something fails, and is started again then. It says to the check when something
// has succeeded.
type stage struct {
	name string
	make func(*process, *telemetry.Check) func(context.Context) error
}

func roles() []role {
	ingest, invoicer := stage{"ingest", (*process).ingest}, stage{"invoicer", (*process).invoicer}
	copies, survey := stage{"dead_letters", (*process).copies}, stage{"survey", (*process).survey}
	return []role{
		{name: Up, stages: []stage{ingest, copies, invoicer, survey}, prepares: true, claim: Own, usualPorts: true},
		{name: Ingest, stages: []stage{ingest, copies}, usualPorts: true, limitMemory: func(c *config.Config) {
			telemetry.LimitIngestMemory(int64(c.Ingest.Memory))
		}},
		{name: Invoicer, stages: []stage{invoicer, survey}, usualPorts: true, limitMemory: func(*config.Config) {
			telemetry.LimitSealMemory()
		}},
	}
}

func find(name Role) (role, error) {
	for _, r := range roles() {
		if r.name == name {
			return r, nil
		}
	}
	return role{}, fmt.Errorf("there is no role %q", name)
}

// usualPorts are where a long-running embedded stack listens unless the settings
// say otherwise, so that producers find it again after a restart.
func usualPorts() embedded.Ports { return embedded.Ports{Kafka: 19092, Native: 19000, HTTP: 18123} }

// Listening is where a process and what it uses listen.
type Listening struct {
	// Kafka and ClickHouse have one address or several.
	Kafka, ClickHouse []string
	// HTTP is where the embedded ClickHouse answers, User its user, PasswordFile the
	// file with the password. They are empty where ClickHouse is a server.
	HTTP, User, PasswordFile string
	// Metrics is host:port of /metrics, /healthz and /readyz.
	Metrics string
}

// process is a role at work.
type process struct {
	*App
	role   role
	reg    *prometheus.Registry
	health *telemetry.Health
	seals  *Sealer
	// moving is what the stages that move messages share.
	moving func() *ingesting
	// began is when it was at work; zero before.
	began time.Time
	// told is what was logged last of each run.
	told map[int64]string
}

// Run starts the stages of a role and supervises them until ctx ends. Listening,
// where it is set, is told once everything listens. What fails while starting is
// returned, but for what failed because ctx had ended.
func Run(ctx context.Context, name Role, o Options, listening func(Listening)) (err error) {
	r, err := find(name)
	if err != nil {
		return err
	}
	if r.limitMemory != nil && !o.Config.Kafka.UsesEmbedded() {
		r.limitMemory(&o.Config)
	}
	o.Command, o.Claim, o.Serves = string(name), r.claim, true
	if r.usualPorts {
		o.Ports = usualPorts()
	}
	a, err := Connect(ctx, o)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	p := &process{App: a, role: r, reg: telemetry.NewRegistry(), health: telemetry.NewHealth(o.Now)}
	defer func() {
		err = errors.Join(err, a.Close())
		p.stopped()
	}()
	p.moving = sync.OnceValue(func() *ingesting { return a.ingesting(p.reg) })
	server, err := p.start(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	l := p.listening(server.Address())
	p.started(&l)
	if listening != nil {
		listening(l)
	}
	return p.supervise(ctx, server)
}

// started says in one line that the process is at work, and on what.
func (p *process) started(l *Listening) {
	p.began = p.Now()
	p.Log.Info("started", "role", string(p.role.name), "kafka", strings.Join(l.Kafka, ","), "clickhouse", strings.Join(l.ClickHouse, ","),
		"database", p.Config.ClickHouse.Database, "metrics", l.Metrics)
}

// stopped says that a process which was at work has let go of everything.
func (p *process) stopped() {
	if !p.began.IsZero() {
		p.Log.Info("stopped", "role", string(p.role.name), "ran", p.Now().Sub(p.began).Round(time.Second))
	}
}

// unlessStopped drops what failed while starting because the process was told to
// stop meanwhile.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it broke off because of that
	}
	return err
}

// start checks all that must be so before the first stage runs, and listens.
func (p *process) start(ctx context.Context) (*telemetry.Server, error) {
	if p.role.prepares {
		if err := p.Prepare(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.Check(ctx); err != nil {
		return nil, err
	}
	var err error
	if p.seals, err = p.Sealer(p.reg); err != nil {
		return nil, err
	}
	if err := p.seals.CheckSettings(ctx); err != nil {
		return nil, err
	}
	return telemetry.Listen(ctx, p.Config.Listen, p.reg, p.health, p.Log)
}

// supervise runs the stages until ctx ends.
func (p *process) supervise(ctx context.Context, server *telemetry.Server) error {
	supervisor := telemetry.NewSupervisor(p.Log, p.reg, telemetry.Sleep)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Serve(ctx) })
	for _, s := range p.role.stages {
		check := p.health.Check(s.name)
		run := s.make(p, check)
		g.Go(func() error {
			supervisor.Run(ctx, s.name, check, run)
			return nil
		})
	}
	for _, w := range p.watches() {
		g.Go(func() error {
			w.run(ctx, p.Now)
			return nil
		})
	}
	return g.Wait()
}

func (p *process) listening(metrics string) Listening {
	l := Listening{Kafka: p.brokers(), ClickHouse: p.addresses(), Metrics: metrics}
	if p.Config.ClickHouse.UsesEmbedded() {
		l.HTTP, l.User, l.PasswordFile = p.endpoints.HTTP, p.endpoints.User, p.Config.DataDir+"/endpoints.json"
	}
	return l
}
