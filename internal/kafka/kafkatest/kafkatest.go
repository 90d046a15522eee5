package kafkatest

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// The environment variables. They are none of reckon's settings, which refuse
// names that they do not know.
const (
	// LibsVariable names the folder with the jars of Apache Kafka.
	LibsVariable = "APACHE_KAFKA_LIBS"
	// BrokersVariable names the brokers, host:port and commas, that tests use
	// which need no broker of their own.
	BrokersVariable = "KAFKA_UNDER_TEST"
)

// IsApache tells whether [Start] starts Apache Kafka.
func IsApache() bool { return os.Getenv(LibsVariable) != "" }

// Run runs the package's tests and returns the exit code. Where Apache Kafka is
// what is tested, one broker of it runs meanwhile, named by BrokersVariable.
func Run(m *testing.M) int {
	if !IsApache() || os.Getenv(BrokersVariable) != "" {
		return m.Run()
	}
	code, err := runOnApache(m)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err) // nobody to tell if that fails
		return 1
	}
	return code
}

func runOnApache(m *testing.M) (code int, err error) {
	err = testkit.InFolder("apache-kafka", func(dir string) error {
		brokers, err := newApache(dir, 1)
		if err != nil {
			return err
		}
		if err := brokers[0].start(); err != nil {
			return err
		}
		defer brokers[0].process.Kill()
		if err := brokers[0].waitReady(); err != nil {
			return err
		}
		if err := os.Setenv(BrokersVariable, brokers[0].addr); err != nil {
			return fmt.Errorf("name the broker: %w", err)
		}
		code = m.Run()
		return nil
	})
	return code, err
}

// childCommand makes a test binary the broker that reckon embeds.
const childCommand = "kafka-broker-for-tests"

// Child is, in the process that [Start] starts from the test binary, the broker:
// it runs until SIGTERM and tells that, and with which code, to exit.
func Child(args []string) (code int, isChild bool) {
	if len(args) != 4 || args[1] != childCommand {
		return 0, false
	}
	if err := serveFake(args[2], args[3]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err) // nobody to tell if that fails
		return 1, true
	}
	return 0, true
}

func serveFake(dir, port string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("port %q: %w", port, err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	// As internal/embedded starts it.
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(number), kfake.DataDir(dir), kfake.SyncWrites())
	if err != nil {
		return fmt.Errorf("start the broker on port %s: %w", port, err)
	}
	<-stop
	cluster.Close()
	return nil
}
