package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded"
)

func main() {
	// The engine's own process: before any flag or signal is looked at.
	if len(os.Args) > 1 && os.Args[1] == embedded.ChildCommand {
		os.Exit(embedded.ChildMain(os.Args[2:], os.Stderr))
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run is the mode that the arguments name.
func run(args []string) error {
	now := time.Now //nolint:forbidigo // a program that measures, and the shell of it
	if len(args) > 0 {
		switch args[0] {
		case serversMode:
			// They end when their parent does, not on its Ctrl-C.
			signal.Ignore(os.Interrupt, syscall.SIGTERM)
			return serve(args[1:], os.Stdin, os.Stdout, os.Stderr)
		case sealMode:
			return sealMain(os.Stdin, os.Stdout, now)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{now: now, log: os.Stderr}
	err := b.flags(args)
	if err != nil {
		return err
	}
	if b.zone, err = zone(); err != nil {
		return err
	}
	return b.all(ctx, os.Stdout)
}

// sizes are how much there is to do.
type sizes struct {
	// ingest counts the events that wait on the topic, events those of a month,
	// alive the resources that live through one without any.
	ingest        int
	events, alive int64
	latency       time.Duration
}

// bench measures.
type bench struct {
	now  func() time.Time
	log  io.Writer
	zone *time.Location

	sizes sizes
	// pairs are how often reckon and a rival take turns, repeats how often reckon
	// alone is measured.
	pairs, repeats int
	form           string
	// reckon is the program, folder where everything is kept meanwhile, out where
	// the results go, profiles where CPU profiles go, if anywhere.
	reckon, folder, out, profiles string
	// only are the sections wanted, nil for all.
	only []string

	rounds int
	// used are the folders of servers that have ended.
	used []string
}

// flags reads the arguments.
func (b *bench) flags(args []string) error {
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	isShort := set.Bool("short", false, "a tenth of the sizes, two pairs: at most 10 minutes")
	scale := set.Float64("scale", 0, "sizes as a share of the long form's")
	set.IntVar(&b.pairs, "pairs", 0, "how often reckon and a rival take turns (long 5, short 2)")
	only := set.String("only", "", "sections to run, by comma: ingest, month-end (or month-end-a, -b, -c), growth (or growth-events, -year, -giant, -twice, -wide), latency")
	set.StringVar(&b.reckon, "reckon", "bin/reckon", "the program, as make build leaves it")
	set.StringVar(&b.folder, "folder", "", "where the servers keep their data meanwhile (default a temporary folder)")
	set.StringVar(&b.out, "out", ".", "where BENCHMARKS.md and bench.json are written")
	set.StringVar(&b.profiles, "profiles", "", "where CPU profiles of the seals are written (default nowhere)")
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("%q is not known: see -help", set.Arg(0))
	}
	b.size(*isShort, *scale)
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	return nil
}

// wants tells whether a section or a case of one is to be run.
func (b *bench) wants(name string) bool {
	return b.only == nil || slices.ContainsFunc(b.only, func(o string) bool {
		return o == name || strings.HasPrefix(name, o+"-") || strings.HasPrefix(o, name+"-")
	})
}

// size decides how much there is to do.
func (b *bench) size(isShort bool, scale float64) {
	pairs, ingest := 5, 4_000_000.0
	b.form, b.repeats = "Long form.", 3
	b.sizes.latency = 30 * time.Second
	if isShort {
		pairs, ingest, b.repeats = 2, 5_000_000, 1
		b.form = "Short form: a tenth of the sizes."
		b.sizes.latency = 10 * time.Second
	}
	if scale == 0 {
		scale = 1
		if isShort {
			scale = 0.1
		}
	} else {
		b.form += fmt.Sprintf(" Sizes at %g of the long form's.", scale)
	}
	if b.pairs == 0 {
		b.pairs = pairs
	}
	b.sizes.ingest = int(ingest * scale)
	b.sizes.events, b.sizes.alive = int64(10_000_000*scale), int64(1_000_000*scale)
}

// all runs the sections and writes what they found.
func (b *bench) all(ctx context.Context, stdout io.Writer) (err error) {
	if b.reckon, err = filepath.Abs(b.reckon); err != nil {
		return err
	}
	if _, err := os.Stat(b.reckon); err != nil {
		return fmt.Errorf("%w: run make build, or name the program with -reckon", err)
	}
	if b.folder == "" {
		if b.folder, err = os.MkdirTemp("", "reckon-bench-"); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	}
	defer func() {
		for _, folder := range b.used {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	r := report{Machine: thisMachine(), Form: b.form}
	for _, s := range []struct {
		name string
		run  func(context.Context) (section, error)
	}{{"ingest", b.ingest}, {"month-end", b.monthEnd}, {"growth", b.growth}, {"latency", b.latency}} {
		if !b.wants(s.name) {
			continue
		}
		began := b.now()
		found, err := s.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.say("%s took %.0f s", s.name, b.now().Sub(began).Seconds())
		r.Sections = append(r.Sections, found)
	}
	if err := r.print(stdout); err != nil {
		return err
	}
	if err := save(filepath.Join(b.out, "BENCHMARKS.md"), r.print); err != nil {
		return err
	}
	return save(filepath.Join(b.out, "bench.json"), r.json)
}

// say tells people how far it has come.
func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.log, format+"\n", args...) }

// onServers starts fresh servers, for one benchmark alone.
func (b *bench) onServers(ctx context.Context, work func(*servers) error) (err error) {
	b.rounds++
	// ClickHouse may have what a rival needs of the machine.
	folder := filepath.Join(b.folder, fmt.Sprintf("servers-%d", b.rounds))
	b.used = append(b.used, folder)
	srv, err := startServers(ctx, folder, memoryBytes()*6/10)
	if err != nil {
		return err
	}
	err = work(srv)
	return errors.Join(err, srv.stop())
}
