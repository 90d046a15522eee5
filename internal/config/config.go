package config

import (
	"reflect"
	"time"
)

// Config is the whole of the settings. Load makes it; a Config that Load
// returned without an error is valid.
type Config struct {
	DataDir    string     `yaml:"data_dir" env:"DATA_DIR" envDefault:"reckon-data" doc:"folder of the embedded Kafka and ClickHouse"`
	EngineDir  string     `yaml:"engine_dir" env:"ENGINE_DIR" doc:"folder where make engine put the embedded ClickHouse; unset: reckon/engine in $XDG_CACHE_HOME or ~/.cache"`
	Listen     string     `yaml:"listen" env:"LISTEN" envDefault:"127.0.0.1:9464" doc:"address of /metrics, /healthz and /readyz"`
	Log        Log        `yaml:"log" envPrefix:"LOG_"`
	Kafka      Kafka      `yaml:"kafka" envPrefix:"KAFKA_"`
	ClickHouse ClickHouse `yaml:"clickhouse" envPrefix:"CLICKHOUSE_"`
	Billing    Billing    `yaml:"billing" envPrefix:"BILLING_"`
	Invoicer   Invoicer   `yaml:"invoicer" envPrefix:"INVOICER_"`
	Ingest     Ingest     `yaml:"ingest" envPrefix:"INGEST_"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level" env:"LEVEL" envDefault:"info" doc:"debug, info, warn or error"`
	Format string `yaml:"format" env:"FORMAT" envDefault:"text" doc:"text or json"`
}

// Kafka says where the log is and what its topics are called.
type Kafka struct {
	Brokers           []string      `yaml:"brokers" env:"BROKERS" doc:"host:port of the brokers; unset: the embedded broker"`
	TLS               TLS           `yaml:"tls" envPrefix:"TLS_"`
	SASL              SASL          `yaml:"sasl" envPrefix:"SASL_"`
	Topics            Topics        `yaml:"topics" envPrefix:"TOPICS_"`
	Partitions        int           `yaml:"partitions" env:"PARTITIONS" envDefault:"8" doc:"partitions of a topic that reckon creates"`
	ReplicationFactor int           `yaml:"replication_factor" env:"REPLICATION_FACTOR" envDefault:"1" doc:"copies of a topic that reckon creates; 1 on the embedded broker"`
	Group             string        `yaml:"group" env:"GROUP" doc:"consumer group of ingest; by default reckon-ingest- and the id of the installation"`
	Embedded          KafkaEmbedded `yaml:"embedded" envPrefix:"EMBEDDED_"`
}

// UsesEmbedded tells whether the embedded broker is meant.
func (k Kafka) UsesEmbedded() bool { return len(k.Brokers) == 0 }

// KafkaEmbedded is the embedded broker's part.
type KafkaEmbedded struct {
	Port int `yaml:"port" env:"PORT" envDefault:"0" doc:"loopback port of the embedded broker; 0: a free one"`
}

// Topics are the names of the topics (contract 2). They are three different ones.
type Topics struct {
	Lifecycle  string `yaml:"lifecycle" env:"LIFECYCLE" envDefault:"billing.lifecycle" doc:"topic of account and resource events"`
	Usage      string `yaml:"usage" env:"USAGE" envDefault:"billing.usage" doc:"topic of usage events"`
	DeadLetter string `yaml:"dead_letter" env:"DEAD_LETTER" envDefault:"billing.deadletter" doc:"topic that gets a copy of each rejected message"`
}

// Of is the name that the settings give to what is named so by default; what is no
// topic of reckon's comes with the lifecycle events, to be rejected.
func (t Topics) Of(topic string) string {
	v := reflect.ValueOf(t)
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("envDefault") == topic {
			return v.Field(i).String()
		}
	}
	return t.Lifecycle
}

// SASL says how to log in to the brokers; without a mechanism nobody logs in.
type SASL struct {
	Mechanism    string `yaml:"mechanism" env:"MECHANISM" doc:"plain, scram-sha-256 or scram-sha-512; unset: no login"`
	Username     string `yaml:"username" env:"USERNAME" doc:"name to log in with"`
	Password     Secret `yaml:"password" env:"PASSWORD" doc:"password to log in with"`
	PasswordFile string `yaml:"password_file" env:"PASSWORD_FILE" doc:"file that holds the password instead"`
}

// ClickHouse says where the store is.
type ClickHouse struct {
	Addresses    []string           `yaml:"addresses" env:"ADDRESSES" doc:"host:port of the native protocol, several of replicas alone; unset: the embedded ClickHouse"`
	Database     string             `yaml:"database" env:"DATABASE" envDefault:"reckon" doc:"database of reckon's tables"`
	Username     string             `yaml:"username" env:"USERNAME" envDefault:"default" doc:"user to log in as"`
	Password     Secret             `yaml:"password" env:"PASSWORD" doc:"password of that user"`
	PasswordFile string             `yaml:"password_file" env:"PASSWORD_FILE" doc:"file that holds the password instead"`
	TLS          TLS                `yaml:"tls" envPrefix:"TLS_"`
	Cluster      string             `yaml:"cluster" env:"CLUSTER" doc:"cluster of one shard that the migrations are made for; unset: none"`
	Embedded     ClickHouseEmbedded `yaml:"embedded" envPrefix:"EMBEDDED_"`
}

// UsesEmbedded tells whether the embedded ClickHouse is meant.
func (c ClickHouse) UsesEmbedded() bool { return len(c.Addresses) == 0 }

// ClickHouseEmbedded is the embedded engine's part.
type ClickHouseEmbedded struct {
	NativePort int      `yaml:"native_port" env:"NATIVE_PORT" envDefault:"0" doc:"loopback port of the embedded native protocol; 0: a free one"`
	HTTPPort   int      `yaml:"http_port" env:"HTTP_PORT" envDefault:"0" doc:"loopback port of the embedded HTTP interface; 0: a free one"`
	Memory     ByteSize `yaml:"memory" env:"MEMORY" envDefault:"4GiB" doc:"most memory that the embedded engine may take"`
}

// Billing holds the settings of the installation that decide about money.
// Currency, zone and first month are fixed by the first seal (contract 1, 5).
type Billing struct {
	Currency   string        `yaml:"currency" env:"CURRENCY" envDefault:"VND" doc:"ISO 4217 code; fixed by the first seal"`
	Zone       string        `yaml:"zone" env:"ZONE" envDefault:"Asia/Ho_Chi_Minh" doc:"IANA name of the billing zone; fixed by the first seal"`
	FirstMonth string        `yaml:"first_month" env:"FIRST_MONTH" doc:"first month to bill, as 2026-10; unset: the month of the first seal by hand, or that in which the first event was stored"`
	Grace      time.Duration `yaml:"grace" env:"GRACE" envDefault:"1h" doc:"how long after its end a month becomes due"`
	Schedule   string        `yaml:"schedule" env:"SCHEDULE" envDefault:"*/5 * * * *" doc:"cron spec, in the billing zone, that wakes the invoicer"`

	// Location is Zone, and MinorDigits are the decimals of Currency's minor
	// unit. Both are derived by Load and are no settings.
	Location    *time.Location `yaml:"-" env:"-"`
	MinorDigits int32          `yaml:"-" env:"-"`
}

// Invoicer says what a process that seals does between seals.
type Invoicer struct {
	Survey time.Duration `yaml:"survey" env:"SURVEY" envDefault:"1h" doc:"how often it is looked at what bills nothing, for the view anomalies; 0s: only by seals"`
}

// Ingest says when a batch is cut: at the first of the bounds.
type Ingest struct {
	BatchRows   int           `yaml:"batch_rows" env:"BATCH_ROWS" envDefault:"100000" doc:"most events of a batch"`
	BatchMaxAge time.Duration `yaml:"batch_max_age" env:"BATCH_MAX_AGE" envDefault:"1s" doc:"longest that an event waits in a batch"`
	BatchBytes  ByteSize      `yaml:"batch_bytes" env:"BATCH_BYTES" envDefault:"64MiB" doc:"most bytes of a batch"`
	Memory      ByteSize      `yaml:"memory" env:"MEMORY" envDefault:"384MiB" doc:"most bytes of all batches of a process together"`
}
