package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/telemetry"
)

func main() {
	// The engine's own process: before any flag or signal is looked at.
	if len(os.Args) > 1 && os.Args[1] == embedded.ChildCommand {
		os.Exit(embedded.ChildMain(os.Args[2:], os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // whoever is told twice ends at once
	a := &cli{program: os.Args[0], environ: os.Environ(), stdin: os.Stdin, stdout: &stoppable{file: os.Stdout, ctx: ctx}, stderr: os.Stderr, now: time.Now}
	os.Exit(a.runUntil(ctx, os.Args[1:]))
}

// cli is what every subcommand is handed: where it reads and writes, its
// environment and its clock.
type cli struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time

	// program is the name that it was called by, and command what was asked for, "report
	// usage".
	program string
	command string
	// configFile is the --config flag.
	configFile string
	// lost is the first failure to write to stdout: the command fails by it.
	lost error
}

// printf writes to stdout.
func (a *cli) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(a.stdout, format, args...); err != nil && a.lost == nil {
		a.lost = fmt.Errorf("write to stdout: %w", err)
	}
}

// tell writes to stderr; when that fails there is nowhere left to say so.
func (a *cli) tell(format string, args ...any) { _, _ = fmt.Fprintf(a.stderr, format, args...) }

// tellLine is tell of a whole line.
func (a *cli) tellLine(text string) { a.tell("%s\n", text) }

// Exit codes: what failed is 1, what was asked wrongly is 2 (contract 7); what did not
// end because it was told to stop is as a shell has it of Ctrl-C.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func usagef(format string, args ...any) error { return config.Usagef(format, args...) }

func (a *cli) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.lost
	}
	if err == nil {
		return 0
	}
	var usage config.UsageError
	asked := errors.As(err, &usage)
	if errors.Is(ctx.Err(), context.Canceled) && (!asked || errors.Is(err, context.Canceled)) {
		a.tell("reckon: interrupted\n") // whatever broke off, it did by that
		return exitInterrupted
	}
	a.tell("reckon: %v\n", err)
	if asked {
		return exitUsage
	}
	return exitFailed
}

func (a *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "reckon",
		Short: "Metering and invoicing: from events on Kafka to priced, sealed invoices",
		Long: `reckon reads usage and lifecycle events from Kafka, stores them in ClickHouse,
turns each resource's life into reconciliation periods, prices them and seals each
month into invoices that never change.

Without settings it runs on an embedded Kafka and ClickHouse in ./reckon-data.
  reckon demo      a month of a made-up cloud, from events to proven invoices
  reckon up        every stage in one process, until stopped
  reckon config    every setting, its variable and its value`,
		SilenceErrors: true, SilenceUsage: true,
		Version: telemetry.ThisBuild().String(),
		// An unknown command is a wrong question, as a wrong flag is.
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no command %q: see reckon --help", args[0])
			}
			return nil
		},
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			a.command = strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("reckon {{.Version}}\n")
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "YAML file of settings (reckon config lists them)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(
		a.upCommand(), a.ingestCommand(), a.invoicerCommand(), a.invoiceCommand(), a.reportCommand(),
		a.replayCommand(), a.generateCommand(), a.demoCommand(), a.migrateCommand(), a.configCommand(),
		a.explainCommand(), a.verifyCommand(), a.deadLetterCommand(), a.anomaliesCommand(), a.conflictsCommand(), a.logCommand(),
	)
	return root
}

// noArgs and someArgs check the number of arguments, as a usage error.
func noArgs() cobra.PositionalArgs { return usageArgs(cobra.NoArgs) }

func someArgs() cobra.PositionalArgs { return usageArgs(cobra.MinimumNArgs(1)) }

func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w: see %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}
