package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// The environment variables of this room.
const (
	// longVariable, set to anything, asks for the long forms: `make faults`.
	longVariable = "FAULTS_LONG"
	// binaryVariable names the program to test; one is built from the source else.
	binaryVariable = "FAULTS_RECKON"
	// figuresVariable names the file that gathers the figures.
	figuresVariable = "FAULTS_FIGURES"
)

func TestMain(m *testing.M) {
	if code, mine := kafkatest.Child(os.Args); mine {
		os.Exit(code)
	}
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		os.Exit(embeddedtest.Run(m)) // the engine's process
	}
	os.Exit(run(m))
}

// run builds the program, runs the tests and prints their figures.
func run(m *testing.M) int {
	code := 1
	if err := testkit.InFolder("reckon-faults", func(dir string) error {
		if os.Getenv(binaryVariable) == "" {
			binary := filepath.Join(dir, "reckon")
			build := testkit.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "github.com/reckon-billing/reckon/cmd/reckon")
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if said, err := build.CombinedOutput(); err != nil {
				return fmt.Errorf("build reckon: %w\n%s", err, said)
			}
			_ = os.Setenv(binaryVariable, binary) // fails for malformed names only
		}
		figures := filepath.Join(dir, "figures")
		_ = os.Setenv(figuresVariable, figures)
		code = embeddedtest.Run(m)
		if text, err := os.ReadFile(figures); err == nil {
			_, _ = fmt.Fprintf(os.Stdout, "\nWhat was measured:\n%s", text) // nobody to tell if that fails
		}
		return nil
	}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// figure prints what a test measured: at once, and again when all tests ended.
func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Log(text)
	f, err := os.OpenFile(os.Getenv(figuresVariable), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "  %s: %s\n", t.Name(), text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// size chooses between the short form of a test and the long one.
func size(short, long int) int {
	if os.Getenv(longVariable) != "" {
		return long
	}
	return short
}
