package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each setting that is refused: the variables, and what the sentence must hold
// beside the setting's two names.
func TestAWrongSettingIsRefusedByNameAndTold(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	empty, junk := write(t, "empty", "\n"), write(t, "junk", "no PEM")
	brokers, servers := "RECKON_KAFKA_BROKERS=a:1", "RECKON_CLICKHOUSE_ADDRESSES=a:1"
	for name, tc := range map[string]struct {
		path    string
		environ []string
		says    string
	}{
		"a blank data folder":                   {"data_dir", []string{"RECKON_DATA_DIR= "}, "set it"},
		"an address without a port":             {"listen", []string{"RECKON_LISTEN=localhost"}, "host:port"},
		"an address with a port too high":       {"listen", []string{"RECKON_LISTEN=:65536"}, "host:port"},
		"a log level nobody knows":              {"log.level", []string{"RECKON_LOG_LEVEL=loud"}, "debug, info, warn, error"},
		"a log format nobody knows":             {"log.format", []string{"RECKON_LOG_FORMAT=xml"}, "text, json"},
		"a broker with a scheme":                {"kafka.brokers", []string{"RECKON_KAFKA_BROKERS=a:1,tcp://b:2"}, `"tcp://b:2"`},
		"a broker without a host":               {"kafka.brokers", []string{"RECKON_KAFKA_BROKERS=:9092"}, "host:port"},
		"a broker on port 0":                    {"kafka.brokers", []string{"RECKON_KAFKA_BROKERS=a:0"}, "host:port"},
		"a broker left out between commas":      {"kafka.brokers", []string{"RECKON_KAFKA_BROKERS=a:1,,b:2"}, `""`},
		"a broker named twice":                  {"kafka.brokers", []string{"RECKON_KAFKA_BROKERS=a:1, a:1"}, "twice"},
		"TLS to the embedded broker":            {"kafka.tls.enabled", []string{"RECKON_KAFKA_TLS_ENABLED=true"}, "kafka.brokers"},
		"TLS neither on nor off":                {"kafka.tls.enabled", []string{brokers, "RECKON_KAFKA_TLS_ENABLED=perhaps"}, "true or false"},
		"a TLS file while TLS is off":           {"kafka.tls.ca_file", []string{brokers, "RECKON_KAFKA_TLS_CA_FILE=x"}, "enabled"},
		"a server name while TLS is off":        {"clickhouse.tls.server_name", []string{servers, "RECKON_CLICKHOUSE_TLS_SERVER_NAME=x"}, "enabled"},
		"authorities that are not there":        {"kafka.tls.ca_file", []string{brokers, "RECKON_KAFKA_TLS_ENABLED=true", "RECKON_KAFKA_TLS_CA_FILE=" + missing}, missing},
		"authorities that are no PEM":           {"clickhouse.tls.ca_file", []string{servers, "RECKON_CLICKHOUSE_TLS_ENABLED=true", "RECKON_CLICKHOUSE_TLS_CA_FILE=" + junk}, "no certificate"},
		"a certificate without its key":         {"kafka.tls.cert_file", []string{brokers, "RECKON_KAFKA_TLS_ENABLED=true", "RECKON_KAFKA_TLS_CERT_FILE=x"}, "key_file"},
		"a certificate that is no PEM":          {"kafka.tls.cert_file", []string{brokers, "RECKON_KAFKA_TLS_ENABLED=true", "RECKON_KAFKA_TLS_CERT_FILE=" + junk, "RECKON_KAFKA_TLS_KEY_FILE=" + junk}, "PEM"},
		"a mechanism nobody knows":              {"kafka.sasl.mechanism", []string{brokers, "RECKON_KAFKA_SASL_MECHANISM=gssapi", "RECKON_KAFKA_SASL_USERNAME=u", "RECKON_KAFKA_SASL_PASSWORD=p"}, "scram-sha-256"},
		"a login at the embedded broker":        {"kafka.sasl.mechanism", []string{"RECKON_KAFKA_SASL_MECHANISM=plain", "RECKON_KAFKA_SASL_USERNAME=u", "RECKON_KAFKA_SASL_PASSWORD=p"}, "kafka.brokers"},
		"a user without a mechanism":            {"kafka.sasl.mechanism", []string{brokers, "RECKON_KAFKA_SASL_USERNAME=u"}, "scram-sha-512"},
		"a mechanism without a user":            {"kafka.sasl.username", []string{brokers, "RECKON_KAFKA_SASL_MECHANISM=plain", "RECKON_KAFKA_SASL_PASSWORD=p"}, "set it"},
		"a mechanism without a password":        {"kafka.sasl.password", []string{brokers, "RECKON_KAFKA_SASL_MECHANISM=plain", "RECKON_KAFKA_SASL_USERNAME=u"}, "password_file"},
		"a password and a file of one":          {"kafka.sasl.password_file", []string{brokers, "RECKON_KAFKA_SASL_MECHANISM=plain", "RECKON_KAFKA_SASL_USERNAME=u", "RECKON_KAFKA_SASL_PASSWORD=p", "RECKON_KAFKA_SASL_PASSWORD_FILE=x"}, "keep one"},
		"a password file that is not there":     {"clickhouse.password_file", []string{servers, "RECKON_CLICKHOUSE_PASSWORD_FILE=" + missing}, missing},
		"a password file with nothing in it":    {"clickhouse.password_file", []string{servers, "RECKON_CLICKHOUSE_PASSWORD_FILE=" + empty}, "is empty"},
		"a topic with a blank":                  {"kafka.topics.usage", []string{"RECKON_KAFKA_TOPICS_USAGE=my usage"}, "topic name"},
		"a topic that is two dots":              {"kafka.topics.usage", []string{"RECKON_KAFKA_TOPICS_USAGE=.."}, "topic name"},
		"one topic for two things":              {"kafka.topics.dead_letter", []string{"RECKON_KAFKA_TOPICS_DEAD_LETTER=billing.usage"}, "kafka.topics.usage"},
		"no partitions":                         {"kafka.partitions", []string{"RECKON_KAFKA_PARTITIONS=0"}, "1 to 10000"},
		"partitions that are no number":         {"kafka.partitions", []string{"RECKON_KAFKA_PARTITIONS=many"}, "whole number"},
		"copies on the embedded broker":         {"kafka.replication_factor", []string{"RECKON_KAFKA_REPLICATION_FACTOR=3"}, "kafka.brokers"},
		"a blank group":                         {"kafka.group", []string{"RECKON_KAFKA_GROUP= "}, "set it"},
		"an embedded broker's port too high":    {"kafka.embedded.port", []string{"RECKON_KAFKA_EMBEDDED_PORT=70000"}, "0 to 65535"},
		"a server without a port":               {"clickhouse.addresses", []string{"RECKON_CLICKHOUSE_ADDRESSES=a"}, "host:port"},
		"a database with a dash":                {"clickhouse.database", []string{"RECKON_CLICKHOUSE_DATABASE=re-ckon"}, "underscores"},
		"the server's own database":             {"clickhouse.database", []string{"RECKON_CLICKHOUSE_DATABASE=default"}, "server's own"},
		"a blank user":                          {"clickhouse.username", []string{servers, "RECKON_CLICKHOUSE_USERNAME= "}, "set it"},
		"a cluster with a quote":                {"clickhouse.cluster", []string{servers, "RECKON_CLICKHOUSE_CLUSTER=a'b"}, "cluster name"},
		"a cluster of the embedded engine":      {"clickhouse.cluster", []string{"RECKON_CLICKHOUSE_CLUSTER=c"}, "clickhouse.addresses"},
		"a user of the embedded engine":         {"clickhouse.username", []string{"RECKON_CLICKHOUSE_USERNAME=u"}, "clickhouse.addresses"},
		"a password of the embedded engine":     {"clickhouse.password", []string{"RECKON_CLICKHOUSE_PASSWORD=p"}, "clickhouse.addresses"},
		"TLS to the embedded engine":            {"clickhouse.tls.enabled", []string{"RECKON_CLICKHOUSE_TLS_ENABLED=true"}, "clickhouse.addresses"},
		"a negative port":                       {"clickhouse.embedded.native_port", []string{"RECKON_CLICKHOUSE_EMBEDDED_NATIVE_PORT=-1"}, "0 to 65535"},
		"one port for two interfaces":           {"clickhouse.embedded.http_port", []string{"RECKON_CLICKHOUSE_EMBEDDED_NATIVE_PORT=9000", "RECKON_CLICKHOUSE_EMBEDDED_HTTP_PORT=9000"}, "another"},
		"memory that is no size":                {"clickhouse.embedded.memory", []string{"RECKON_CLICKHOUSE_EMBEDDED_MEMORY=4GB"}, "2GiB"},
		"memory that is too little":             {"clickhouse.embedded.memory", []string{"RECKON_CLICKHOUSE_EMBEDDED_MEMORY=100MiB"}, "512MiB"},
		"a currency nobody knows":               {"billing.currency", []string{"RECKON_BILLING_CURRENCY=VNX"}, "ISO 4217"},
		"a currency in small letters":           {"billing.currency", []string{"RECKON_BILLING_CURRENCY=vnd"}, "capitals"},
		"gold":                                  {"billing.currency", []string{"RECKON_BILLING_CURRENCY=XAU"}, "ISO 4217"},
		"the currency for no currency":          {"billing.currency", []string{"RECKON_BILLING_CURRENCY=XXX"}, "ISO 4217"},
		"a zone nobody knows":                   {"billing.zone", []string{"RECKON_BILLING_ZONE=Asia/Hanoy"}, "IANA"},
		"the machine's own zone":                {"billing.zone", []string{"RECKON_BILLING_ZONE=Local"}, "IANA"},
		"a zone that is a path":                 {"billing.zone", []string{"RECKON_BILLING_ZONE=../UTC"}, "IANA"},
		"a first month with a day":              {"billing.first_month", []string{"RECKON_BILLING_FIRST_MONTH=2026-10-01"}, "2026-10"},
		"a thirteenth month":                    {"billing.first_month", []string{"RECKON_BILLING_FIRST_MONTH=2026-13"}, "2026-10"},
		"a first month before all events":       {"billing.first_month", []string{"RECKON_BILLING_FIRST_MONTH=1999-12"}, "2000-01"},
		"a grace that is negative":              {"billing.grace", []string{"RECKON_BILLING_GRACE=-1h"}, "negative"},
		"a survey twice a second":               {"invoicer.survey", []string{"RECKON_INVOICER_SURVEY=500ms"}, "0s for never"},
		"a grace without a unit":                {"billing.grace", []string{"RECKON_BILLING_GRACE=60"}, "1h30m"},
		"a schedule of six fields":              {"billing.schedule", []string{"RECKON_BILLING_SCHEDULE=0 */5 * * * *"}, "five cron fields"},
		"a schedule with a zone":                {"billing.schedule", []string{"RECKON_BILLING_SCHEDULE=TZ=UTC */5 * * * *"}, "billing.zone's"},
		"a schedule that makes the parser jump": {"billing.schedule", []string{"RECKON_BILLING_SCHEDULE=TZ=0"}, "billing.zone's"},
		"a schedule that never comes":           {"billing.schedule", []string{"RECKON_BILLING_SCHEDULE=0 0 30 2 *"}, "never comes"},
		"batches of no rows":                    {"ingest.batch_rows", []string{"RECKON_INGEST_BATCH_ROWS=0"}, "1 to 1000000"},
		"batches that never age":                {"ingest.batch_max_age", []string{"RECKON_INGEST_BATCH_MAX_AGE=0s"}, "1ms to 1m"},
		"batches that wait too long":            {"ingest.batch_max_age", []string{"RECKON_INGEST_BATCH_MAX_AGE=2m"}, "1ms to 1m"},
		"batches that hold no event":            {"ingest.batch_bytes", []string{"RECKON_INGEST_BATCH_BYTES=1KiB"}, "2MiB to 1GiB"},
		"no memory for batches":                 {"ingest.memory", []string{"RECKON_INGEST_MEMORY=1MiB"}, "16MiB to 64GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load("", append([]string{home}, tc.environ...))
			wantOneSentence(t, err, tc.path+" ("+variable(tc.path)+"): ", tc.says)
		})
	}
}

// wantOneSentence also holds that nothing else was refused.
func wantOneSentence(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was taken")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one sentence: %v", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestTheEngineFolderMustBeKnownWhereTheEngineIsUsed(t *testing.T) {
	_, err := Load("", nil)
	wantOneSentence(t, err, "engine_dir (RECKON_ENGINE_DIR): ", "set it")
	if _, err := Load("", []string{"RECKON_CLICKHOUSE_ADDRESSES=a:9000"}); err != nil {
		t.Errorf("with servers nobody needs it: %v", err)
	}
}

func TestAMisspeltVariableIsRefusedWithTheNearest(t *testing.T) {
	for wrong, right := range map[string]string{
		"RECKON_KAFKA_BROKER":                "RECKON_KAFKA_BROKERS",
		"RECKON_BILLING_TIMEZONE":            "RECKON_BILLING_ZONE",
		"RECKON_CLICKHOUSE_PASWORD":          "RECKON_CLICKHOUSE_PASSWORD",
		"RECKON_KAFKA_EMBED_PORT":            "RECKON_KAFKA_EMBEDDED_PORT",
		"RECKON_INGEST_BATCH_ROW":            "RECKON_INGEST_BATCH_ROWS",
		"RECKON_BILLING_FIRST_MONTHS":        "RECKON_BILLING_FIRST_MONTH",
		"RECKON_CLICKHOUSE_TLS_CERTFILE":     "RECKON_CLICKHOUSE_TLS_CERT_FILE",
		"RECKON_KAFKA_TOPICS_DEADLETTER":     "RECKON_KAFKA_TOPICS_DEAD_LETTER",
		"RECKON_KAFKA_SASL_PASSWORDFILE":     "RECKON_KAFKA_SASL_PASSWORD_FILE",
		"RECKON_CLICKHOUSE_EMBEDDED_NATIVEE": "RECKON_CLICKHOUSE_EMBEDDED_NATIVE_PORT",
	} {
		t.Run(wrong, func(t *testing.T) {
			_, err := Load("", []string{home, wrong + "=1"})
			wantOneSentence(t, err, wrong, "write "+right)
		})
	}
}

func TestAWrongFileIsRefusedByLineAndName(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		says    []string
	}{
		"a setting nobody knows":        {"kafka:\n  broker: [a:1]\n", []string{"line 2", "kafka.broker (RECKON_KAFKA_BROKER)", "write kafka.brokers"}},
		"a group nobody knows":          {"biling:\n  zone: UTC\n", []string{"line 1", "biling"}},
		"a setting in a wrong group":    {"kafka:\n  zone: UTC\n", []string{"kafka.zone"}},
		"a setting twice":               {"listen: a:1\nlisten: b:1\n", []string{"line 2", "listen", "line 1"}},
		"a group that is a value":       {"kafka: a:1\n", []string{"line 1", "kafka", "group"}},
		"a value that is a group":       {"listen: {port: 1}\n", []string{"listen (RECKON_LISTEN)", "single value"}},
		"a value that is a list":        {"listen: [a:1]\n", []string{"listen (RECKON_LISTEN)", "single value"}},
		"a list of lists":               {"kafka: {brokers: [[a:1]]}\n", []string{"kafka.brokers (RECKON_KAFKA_BROKERS)", "list of texts"}},
		"a list for the whole":          {"- listen\n", []string{"line 1", "the file"}},
		"two documents":                 {"listen: a:1\n---\nlisten: b:1\n", []string{"more than one document"}},
		"no YAML at all":                {"listen: [\n", []string{"yaml"}},
		"a value of the wrong kind":     {"kafka:\n  partitions: 8.5\n", []string{"kafka.partitions (RECKON_KAFKA_PARTITIONS)", "whole number"}},
		"a number too large":            {"kafka: {partitions: 99999999999999999999}\n", []string{"kafka.partitions (RECKON_KAFKA_PARTITIONS)"}},
		"a group that points to itself": {"kafka: &k\n  tls: *k\n", []string{"kafka.tls.tls"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, "reckon.yaml", tc.content), []string{home})
			wantOneSentence(t, err, tc.says...)
		})
	}
}

func TestAMissingFileIsRefusedByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reckon.yaml")
	_, err := Load(path, []string{home})
	wantOneSentence(t, err, path)
}

func TestAnEmptyFileSetsNothing(t *testing.T) {
	for _, content := range []string{"", "# nothing yet\n", "---\n", "kafka:\n"} {
		if _, err := Load(write(t, "reckon.yaml", content), []string{home}); err != nil {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestEveryWrongSettingIsToldAtOnce(t *testing.T) {
	_, err := Load("", []string{home, "RECKON_LISTEN=x", "RECKON_BILLING_ZONE=y", "RECKON_KAFKA_GROUP= "})
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("want three sentences, got %v", err)
	}
}

func TestTLSFilesBecomeAClientConfiguration(t *testing.T) {
	cert, key := selfSigned(t)
	c, err := Load("", []string{
		home, "RECKON_KAFKA_BROKERS=a:1", "RECKON_KAFKA_TLS_ENABLED=true", "RECKON_KAFKA_TLS_CA_FILE=" + cert,
		"RECKON_KAFKA_TLS_CERT_FILE=" + cert, "RECKON_KAFKA_TLS_KEY_FILE=" + key, "RECKON_KAFKA_TLS_SERVER_NAME=kafka.test",
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := c.Kafka.TLS.Client()
	if err != nil {
		t.Fatal(err)
	}
	if client.ServerName != "kafka.test" || len(client.Certificates) != 1 || client.RootCAs == nil {
		t.Errorf("server %q, %d certificates, roots %v", client.ServerName, len(client.Certificates), client.RootCAs)
	}
	if off, err := c.ClickHouse.TLS.Client(); off != nil || err != nil {
		t.Errorf("TLS that is off gave %v, %v", off, err)
	}
}

func selfSigned(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))),
		write(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// Whoever has several wrong settings hears of all of them, not of one a round: those of
// the file and of variables, such as cannot be read and such as may not be.
func TestAllWrongSettingsAreToldAtOnce(t *testing.T) {
	file := write(t, "reckon.yaml", "kafka:\n  broker: [a:1]\n  partitions: many\nbilling:\n  grace: -1h\ningest:\n  memory: 1MiB\n")
	_, err := Load(file, []string{
		home, "RECKON_BILING_ZONE=UTC", "RECKON_BILLING_ZONE=Mars/Olympus", "RECKON_INGEST_BATCH_ROWS=many", "RECKON_LISTEN=here",
		"RECKON_CLICKHOUSE_TLS_ENABLED=true", "RECKON_CLICKHOUSE_ADDRESSES=a:9000", "RECKON_CLICKHOUSE_TLS_CERT_FILE=c.pem", "RECKON_CLICKHOUSE_TLS_CA_FILE=nosuch.pem",
	})
	if err == nil {
		t.Fatal("they were taken")
	}
	said := err.Error()
	for _, one := range []string{
		"settings file " + file + ": line 2: kafka.broker", "kafka.partitions (RECKON_KAFKA_PARTITIONS)", "billing.grace (RECKON_BILLING_GRACE)", "ingest.memory (RECKON_INGEST_MEMORY)",
		"RECKON_BILING_ZONE", "billing.zone (RECKON_BILLING_ZONE)", "ingest.batch_rows (RECKON_INGEST_BATCH_ROWS)", "listen (RECKON_LISTEN)",
		"clickhouse.tls.cert_file (RECKON_CLICKHOUSE_TLS_CERT_FILE)", "clickhouse.tls.ca_file (RECKON_CLICKHOUSE_TLS_CA_FILE)",
	} {
		if !strings.Contains(said, one) {
			t.Errorf("it does not say %q:\n%s", one, said)
		}
	}
	if got, want := strings.Count(said, "\n"), 9; got != want {
		t.Errorf("%d sentences, want %d:\n%s", got+1, want+1, said)
	}
}
