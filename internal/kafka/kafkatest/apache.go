package kafkatest

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// node is one Apache Kafka broker, which is a controller too.
type node struct {
	id                   int
	dir                  string
	port, controllerPort int
	directoryID          string
}

// newApache formats a cluster of so many nodes below dir; the brokers are not
// started yet.
func newApache(dir string, nodes int) ([]*Broker, error) {
	libs := os.Getenv(LibsVariable)
	if libs == "" {
		return nil, errors.New("no Apache Kafka: run make test-kafka, or set " + LibsVariable + " to the folder of its jars")
	}
	ports, err := testkit.FreePorts(2 * nodes)
	if err != nil {
		return nil, err
	}
	all := make([]node, nodes)
	for i := range all {
		all[i] = node{i + 1, filepath.Join(dir, fmt.Sprint("node-", i+1)), ports[2*i], ports[2*i+1], uuid()}
	}
	cluster := uuid()
	brokers := make([]*Broker, nodes)
	for i, n := range all {
		if err := os.MkdirAll(n.dir, 0o700); err != nil {
			return nil, fmt.Errorf("make a broker's folder: %w", err)
		}
		settings, err := writeFile(n.dir, "server.properties", n.properties(all))
		if err != nil {
			return nil, err
		}
		java := []string{
			"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
			"-cp", filepath.Join(libs, "*"),
		}
		format := append(append([]string{}, java[1:]...), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", settings)
		format = append(format, membership(all)...)
		if said, err := testkit.Command(java[0], format...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("format Apache Kafka: %w: %s", err, said)
		}
		brokers[i] = &Broker{ID: int32(n.id), addr: testkit.Loopback(n.port), command: append(java, "kafka.Kafka", settings)} //nolint:gosec // 1 to 3
	}
	return brokers, nil
}

// uuid is a random one as Kafka writes them. One that begins with a dash would
// be taken for an option.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// membership says who votes: with --standalone each node would be a cluster of
// its own.
func membership(all []node) []string {
	if len(all) == 1 {
		return []string{"--standalone"}
	}
	voters := make([]string, len(all))
	for i, n := range all {
		voters[i] = fmt.Sprintf("%d@%s:%s", n.id, testkit.Loopback(n.controllerPort), n.directoryID)
	}
	return []string{"--initial-controllers", strings.Join(voters, ",")}
}

// properties are Kafka's own but for what a small cluster on one machine needs.
// The few partitions of its own topics make it start and fail over sooner.
func (n *node) properties(all []node) string {
	controllers := make([]string, len(all))
	for i, other := range all {
		controllers[i] = testkit.Loopback(other.controllerPort)
	}
	replicas, inSync := len(all), len(all)/2+1
	return fmt.Sprintf(`process.roles=broker,controller
node.id=%d
controller.quorum.bootstrap.servers=%s
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://%s,CONTROLLER://%s
advertised.listeners=PLAINTEXT://%[3]s,CONTROLLER://%[4]s
log.dirs=%s
auto.create.topics.enable=false
default.replication.factor=%[6]d
min.insync.replicas=%[7]d
offsets.topic.replication.factor=%[6]d
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=%[6]d
transaction.state.log.min.isr=%[7]d
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
`, n.id, strings.Join(controllers, ","), testkit.Loopback(n.port), testkit.Loopback(n.controllerPort),
		filepath.Join(n.dir, "data"), replicas, inSync)
}
