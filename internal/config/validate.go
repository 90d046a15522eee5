package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the billing zone must be known on machines without zoneinfo

	"github.com/robfig/cron/v3"
)

// checker gathers what is wrong.
type checker struct{ problems []error }

func (k *checker) refuse(path, format string, args ...any) {
	k.problems = append(k.problems, fault(path, variable(path), format, args...))
}

// finish reads the password files, derives what is derived and validates all.
func (c *Config) finish() error {
	var k checker
	k.filled("data_dir", c.DataDir)
	if c.ClickHouse.UsesEmbedded() {
		k.filled("engine_dir", c.EngineDir)
	}
	k.address("listen", c.Listen, 0)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	k.kafka(&c.Kafka)
	k.clickHouse(&c.ClickHouse)
	k.billing(&c.Billing)
	if every := c.Invoicer.Survey; every != 0 && every < time.Second {
		k.refuse("invoicer.survey", "%s is out of range: write 1s or more, or 0s for never", duration(every))
	}
	k.ingest(c.Ingest)
	return errors.Join(k.problems...)
}

func (k *checker) kafka(c *Kafka) {
	k.addresses("kafka.brokers", c.Brokers)
	k.tls("kafka.tls", c.TLS)
	k.sasl(&c.SASL)
	k.topics(c.Topics)
	k.between("kafka.partitions", c.Partitions, 1, 10_000)
	k.between("kafka.replication_factor", c.ReplicationFactor, 1, 100)
	k.between("kafka.embedded.port", c.Embedded.Port, 0, 65_535)
	if c.Group != "" {
		k.filled("kafka.group", c.Group)
	}
	if !c.UsesEmbedded() {
		return
	}
	// A forgotten address must not end in an empty log of our own.
	if c.TLS.Enabled {
		k.refuse("kafka.tls.enabled", "the embedded broker has no TLS: name real brokers in kafka.brokers or unset it")
	}
	if c.SASL.Mechanism != "" {
		k.refuse("kafka.sasl.mechanism", "the embedded broker has no login: name real brokers in kafka.brokers or unset it")
	}
	if c.ReplicationFactor > 1 {
		k.refuse("kafka.replication_factor", "the embedded broker keeps 1 copy: name real brokers in kafka.brokers or set 1")
	}
}

func (k *checker) sasl(c *SASL) {
	k.password("kafka.sasl", &c.Password, c.PasswordFile)
	if c.Mechanism == "" {
		if c.Username != "" || c.Password != "" {
			k.refuse("kafka.sasl.mechanism", "is unset beside a username or password: set plain, scram-sha-256 or scram-sha-512")
		}
		return
	}
	k.oneOf("kafka.sasl.mechanism", c.Mechanism, "plain", "scram-sha-256", "scram-sha-512")
	k.filled("kafka.sasl.username", c.Username)
	if c.Password == "" && c.PasswordFile == "" {
		k.refuse("kafka.sasl.password", "is unset: set it or kafka.sasl.password_file")
	}
}

func (k *checker) topics(c Topics) {
	legal := regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
	seen := map[string]string{}
	for _, t := range []struct{ path, name string }{
		{"kafka.topics.lifecycle", c.Lifecycle},
		{"kafka.topics.usage", c.Usage},
		{"kafka.topics.dead_letter", c.DeadLetter},
	} {
		if !legal.MatchString(t.name) || t.name == "." || t.name == ".." {
			k.refuse(t.path, "%q is not a topic name: write 1 to 249 of a-z, A-Z, 0-9, dot, dash and underscore", t.name)
		}
		if other, taken := seen[t.name]; taken {
			k.refuse(t.path, "%q is the topic of %s already: write another", t.name, other)
		}
		seen[t.name] = t.path
	}
}

func (k *checker) clickHouse(c *ClickHouse) {
	k.addresses("clickhouse.addresses", c.Addresses)
	k.tls("clickhouse.tls", c.TLS)
	k.password("clickhouse", &c.Password, c.PasswordFile)
	if !c.UsesEmbedded() {
		k.filled("clickhouse.username", c.Username)
	}
	name := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,127}$`)
	if !name.MatchString(c.Database) {
		k.refuse("clickhouse.database", "%q is not a database name: write letters, digits and underscores, no digit first", c.Database)
	}
	// The embedded engine's default database refuses some statements, and no
	// installation wants our tables among the server's own.
	if slices.Contains([]string{"default", "system", "information_schema"}, strings.ToLower(c.Database)) {
		k.refuse("clickhouse.database", "%q is the server's own: write a name for reckon's tables", c.Database)
	}
	cluster := regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)
	if c.Cluster != "" && !cluster.MatchString(c.Cluster) {
		k.refuse("clickhouse.cluster", "%q is not a cluster name: write letters, digits, dot, dash and underscore", c.Cluster)
	}
	k.between("clickhouse.embedded.native_port", c.Embedded.NativePort, 0, 65_535)
	k.between("clickhouse.embedded.http_port", c.Embedded.HTTPPort, 0, 65_535)
	if p := c.Embedded.NativePort; p != 0 && p == c.Embedded.HTTPPort {
		k.refuse("clickhouse.embedded.http_port", "%d is the native port already: write another", p)
	}
	if c.Embedded.Memory < 512*MiB {
		k.refuse("clickhouse.embedded.memory", "%s is too little for the engine: write at least 512MiB", c.Embedded.Memory)
	}
	if c.UsesEmbedded() {
		k.embeddedClickHouse(c)
	}
}

// embeddedClickHouse refuses what only a server has: a forgotten address must
// not end in an empty store of our own.
func (k *checker) embeddedClickHouse(c *ClickHouse) {
	const instead = ": name servers in clickhouse.addresses or unset it"
	if c.TLS.Enabled {
		k.refuse("clickhouse.tls.enabled", "the embedded ClickHouse has no TLS"+instead)
	}
	if c.Cluster != "" {
		k.refuse("clickhouse.cluster", "the embedded ClickHouse is no cluster"+instead)
	}
	if c.Username != "default" {
		k.refuse("clickhouse.username", "the embedded ClickHouse has users of its own"+instead)
	}
	if c.Password != "" {
		k.refuse("clickhouse.password", "the embedded ClickHouse draws its own"+instead)
	}
}

func (k *checker) billing(c *Billing) {
	digits, err := minorDigits(c.Currency)
	if err != nil {
		k.refuse("billing.currency", "%q is not a currency: write its ISO 4217 code in capitals, as VND", c.Currency)
	}
	c.MinorDigits = digits
	// LoadLocation takes "" for UTC and "Local" for the machine's own zone,
	// which would bill the same events differently elsewhere.
	c.Location, err = time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "" || c.Zone == "Local" {
		k.refuse("billing.zone", "%q is not a time zone: write its IANA name, as Asia/Ho_Chi_Minh or UTC", c.Zone)
	}
	if m, err := time.Parse("2006-01", c.FirstMonth); c.FirstMonth != "" &&
		(err != nil || len(c.FirstMonth) != 7 || m.Year() < 2000 || m.Year() > 2199) {
		k.refuse("billing.first_month", "%q is not a month: write year and month as in 2026-10, from 2000-01 to 2199-12", c.FirstMonth)
	}
	if c.Grace < 0 {
		k.refuse("billing.grace", "%s is negative: write 0s or more", duration(c.Grace))
	}
	if err := checkSchedule(c.Schedule); err != nil {
		k.refuse("billing.schedule", "%q %s: write five cron fields, as */5 * * * *, or @hourly", c.Schedule, err)
	}
}

// checkSchedule wants a spec that fires at all and leaves the zone to us.
func checkSchedule(spec string) error {
	if strings.Contains(spec, "TZ=") {
		return errors.New("names a zone, which is billing.zone's to say")
	}
	schedule, err := cron.ParseStandard(spec)
	if err != nil {
		return fmt.Errorf("is not a schedule (%w)", err)
	}
	if schedule.Next(time.Unix(0, 0).UTC()).IsZero() {
		return errors.New("never comes")
	}
	return nil
}

func (k *checker) ingest(c Ingest) {
	k.between("ingest.batch_rows", c.BatchRows, 1, 1_000_000)
	if c.BatchMaxAge < time.Millisecond || c.BatchMaxAge > time.Minute {
		k.refuse("ingest.batch_max_age", "%s is out of range: write 1ms to 1m", duration(c.BatchMaxAge))
	}
	// One event may be 1 MiB (contract 2), its headers come on top.
	if c.BatchBytes < 2*MiB || c.BatchBytes > GiB {
		k.refuse("ingest.batch_bytes", "%s is out of range: write 2MiB to 1GiB", c.BatchBytes)
	}
	if c.Memory < 16*MiB || c.Memory > 64*GiB {
		k.refuse("ingest.memory", "%s is out of range: write 16MiB to 64GiB", c.Memory)
	}
}

func (k *checker) tls(path string, t TLS) {
	if !t.Enabled {
		for _, f := range []struct{ name, value string }{
			{"ca_file", t.CAFile}, {"cert_file", t.CertFile}, {"key_file", t.KeyFile}, {"server_name", t.ServerName},
		} {
			if f.value != "" {
				k.refuse(path+"."+f.name, "is set but TLS is off: set %s.enabled to true or unset it", path)
			}
		}
		return
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		k.refuse(path+".cert_file", "a certificate and its key go together: set both cert_file and key_file or neither")
	} else if _, err := t.certificates(); err != nil {
		k.refuse(path+".cert_file", "%s: name readable PEM files that belong together in cert_file and key_file", err)
	}
	if _, err := t.roots(); err != nil {
		k.refuse(path+".ca_file", "%s: name a readable PEM file", err)
	}
}

// password takes the password from its file, where one is named. The line end
// that editors put there is not part of it.
func (k *checker) password(path string, password *Secret, file string) {
	if file == "" {
		return
	}
	if *password != "" {
		k.refuse(path+".password_file", "is set beside %s.password: keep one of them", path)
		return
	}
	content, err := os.ReadFile(file)
	if err != nil {
		k.refuse(path+".password_file", "%s: name a readable file", err)
		return
	}
	*password = Secret(strings.TrimRight(string(content), "\r\n"))
	if *password == "" {
		k.refuse(path+".password_file", "%s is empty: write the password into it", file)
	}
}

func (k *checker) filled(path, value string) {
	if strings.TrimSpace(value) == "" {
		k.refuse(path, "is empty: set it")
	}
}

func (k *checker) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.refuse(path, "%q is none of %s: write one of them", value, strings.Join(allowed, ", "))
	}
}

func (k *checker) between(path string, value, least, most int) {
	if value < least || value > most {
		k.refuse(path, "%d is out of range: write %d to %d", value, least, most)
	}
}

// addresses takes the blanks off each address, in place, and checks it.
func (k *checker) addresses(path string, all []string) {
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
		k.address(path, all[i], 1)
		if slices.Contains(all[:i], all[i]) {
			k.refuse(path, "%q stands there twice: keep one", all[i])
		}
	}
}

func (k *checker) address(path, value string, leastPort int) {
	host, port, err := net.SplitHostPort(value)
	n, errPort := strconv.Atoi(port)
	if err != nil || errPort != nil || n < leastPort || n > 65_535 || host == "" && leastPort > 0 || strings.ContainsAny(host, "/ ") {
		k.refuse(path, "%q is not an address: write host:port, as 127.0.0.1:9464", value)
	}
}
