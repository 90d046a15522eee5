package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// home is the least that a machine's environment holds.
const home = "HOME=/home/u"

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingGivenMeansTheEmbeddedStackAndVietnam(t *testing.T) {
	c, err := Load("", []string{home})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Kafka.UsesEmbedded() || !c.ClickHouse.UsesEmbedded() {
		t.Error("the embedded stack is not the default")
	}
	hanoi := time.Date(2026, 10, 1, 0, 0, 0, 0, c.Billing.Location)
	if got, want := hanoi.UTC(), time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("October begins at %s, want %s", got, want)
	}
	if c.Billing.Currency != "VND" || c.Billing.MinorDigits != 0 {
		t.Errorf("currency %s with %d decimals, want VND with 0", c.Billing.Currency, c.Billing.MinorDigits)
	}
	if c.Billing.Grace != time.Hour || c.Ingest.BatchRows != 100000 || c.Ingest.BatchMaxAge != time.Second {
		t.Errorf("grace %s, batch of %d rows or %s", c.Billing.Grace, c.Ingest.BatchRows, c.Ingest.BatchMaxAge)
	}
	if want := "/home/u/.cache/reckon/engine"; c.EngineDir != want {
		t.Errorf("engine_dir is %s, want %s", c.EngineDir, want)
	}
}

// What the topics are called by default stands twice: with the families of events, and
// here, where the settings are read.
func TestEachTypeOfEventHasATopicAmongTheSettings(t *testing.T) {
	c, err := Load("", []string{home})
	if err != nil {
		t.Fatal(err)
	}
	renamed := Topics{Lifecycle: "l", Usage: "u", DeadLetter: "d"}
	for _, kind := range codec.Types() {
		want := "l"
		if kind == schemas.UsageRecorded {
			want = "u"
		}
		if got := renamed.Of(codec.Topic(kind)); got != want {
			t.Errorf("%s comes in %s, want %s", kind, got, want)
		}
		if got := c.Kafka.Topics.Of(codec.Topic(kind)); got != codec.Topic(kind) {
			t.Errorf("%s comes in %s by default, its family says %s", kind, got, codec.Topic(kind))
		}
	}
	if got := renamed.Of(codec.Topic("resource.exploded")); got != "l" {
		t.Errorf("what is no event comes in %s", got)
	}
}

func TestTheEngineFolderFollowsTheCacheFolder(t *testing.T) {
	for name, tc := range map[string]struct {
		environ []string
		want    string
	}{
		"the cache folder is named":  {[]string{home, "XDG_CACHE_HOME=/cache"}, "/cache/reckon/engine"},
		"the engine folder is named": {[]string{home, "XDG_CACHE_HOME=/cache", "RECKON_ENGINE_DIR=/e"}, "/e"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load("", tc.environ)
			if err != nil || c.EngineDir != tc.want {
				t.Errorf("engine_dir is %q (%v), want %q", c.EngineDir, err, tc.want)
			}
		})
	}
}

func TestTheFileOverlaysDefaultsAndVariablesOverlayTheFile(t *testing.T) {
	path := write(t, "reckon.yaml", `
# every kind of value
log: {level: debug}
kafka:
  brokers: [a:9092, "b:9092"]
  partitions: 12
  tls:
    enabled: true
billing:
  currency: USD
  grace: 90m
  zone:
ingest:
  batch_bytes: 8MiB
`)
	c, err := Load(path, []string{
		home, "RECKON_KAFKA_PARTITIONS=16", "RECKON_BILLING_CURRENCY=KWD", "RECKON_LOG_LEVEL=",
		"RECKON_CLICKHOUSE_ADDRESSES=x:9000, y:9000",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"a list from the file", strings.Join(c.Kafka.Brokers, "|"), "a:9092|b:9092"},
		{"a list from a variable", strings.Join(c.ClickHouse.Addresses, "|"), "x:9000|y:9000"},
		{"a variable over the file", c.Kafka.Partitions, 16},
		{"an empty variable leaves the file's", c.Log.Level, "debug"},
		{"a null in the file leaves the default", c.Billing.Zone, "Asia/Ho_Chi_Minh"},
		{"a truth value", c.Kafka.TLS.Enabled, true},
		{"a duration", c.Billing.Grace, 90 * time.Minute},
		{"a size", c.Ingest.BatchBytes, 8 * MiB},
		{"decimals of the dinar", c.Billing.MinorDigits, int32(3)},
		{"a default beside it all", c.Kafka.Topics.Usage, "billing.usage"},
	} {
		if check.got != check.want {
			t.Errorf("%s: got %v, want %v", check.what, check.got, check.want)
		}
	}
}

func TestTheDecimalsOfACurrencyAreThoseOfISO4217(t *testing.T) {
	for code, want := range map[string]int32{
		"VND": 0, "JPY": 0, "KRW": 0, "XOF": 0, "USD": 2, "EUR": 2, "XCD": 2, "IDR": 2, "COP": 2, "PKR": 2, "MGA": 2,
		"KWD": 3, "IQD": 3, "CLF": 4,
	} {
		c, err := Load("", []string{home, "RECKON_BILLING_CURRENCY=" + code})
		if err != nil || c.Billing.MinorDigits != want {
			t.Errorf("%s has %d decimals (%v), want %d", code, c.Billing.MinorDigits, err, want)
		}
	}
}

func TestAPasswordComesFromItsFileWithoutTheLineEnd(t *testing.T) {
	kafka, store := write(t, "kafka", "s3cret \n"), write(t, "store", "other")
	c, err := Load("", []string{
		home, "RECKON_KAFKA_BROKERS=a:1", "RECKON_KAFKA_SASL_MECHANISM=scram-sha-512", "RECKON_KAFKA_SASL_USERNAME=u",
		"RECKON_KAFKA_SASL_PASSWORD_FILE=" + kafka, "RECKON_CLICKHOUSE_ADDRESSES=a:1", "RECKON_CLICKHOUSE_PASSWORD_FILE=" + store,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Kafka.SASL.Password.Reveal(); got != "s3cret " {
		t.Errorf("kafka password is %q", got)
	}
	if got := c.ClickHouse.Password.Reveal(); got != "other" {
		t.Errorf("clickhouse password is %q", got)
	}
}

func TestASecretIsSeenNowhere(t *testing.T) {
	c, err := Load("", []string{home, "RECKON_CLICKHOUSE_ADDRESSES=a:1", "RECKON_CLICKHOUSE_PASSWORD=hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	fmt.Fprintf(&seen, "%v %+v %#v %v\n", c, c, c, c.Settings())
	slog.New(slog.NewJSONHandler(&seen, nil)).Info("settings", "config", c, "password", c.ClickHouse.Password)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		out, err := marshal(c.ClickHouse)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(out)
	}
	if strings.Contains(seen.String(), "hunter2") {
		t.Errorf("the password is in %s", seen.String())
	}
	if !strings.Contains(seen.String(), masked) {
		t.Error("nothing tells that there is a password")
	}
}

func TestVariablesThatKubernetesMakesForServicesAreNoSettings(t *testing.T) {
	_, err := Load("", []string{
		home, "RECKON_SERVICE_HOST=10.0.0.1", "RECKON_SERVICE_PORT=9464", "RECKON_SERVICE_PORT_METRICS=9464",
		"RECKON_PORT=tcp://10.0.0.1:9464", "RECKON_PORT_9464_TCP=tcp://10.0.0.1:9464", "RECKON_PORT_9464_TCP_PROTO=tcp",
		"RECKON_PORT_9464_TCP_PORT=9464", "RECKON_PORT_9464_TCP_ADDR=10.0.0.1",
		"RECKON_KAFKA_SERVICE_HOST=10.0.0.2", "RECKON_KAFKA_PORT=tcp://10.0.0.2:9092",
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEverySettingIsNamedAlikeInFileAndEnvironmentAndIsExplained(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings() {
		if want := variable(s.Path); s.Env != want {
			t.Errorf("%s: its variable is %s, want %s", s.Path, s.Env, want)
		}
		if s.Doc == "" {
			t.Errorf("%s: nothing explains it", s.Path)
		}
		if s.Secret != strings.HasSuffix(s.Path, "password") {
			t.Errorf("%s: secret is %v", s.Path, s.Secret)
		}
		if seen[s.Path] {
			t.Errorf("%s: stands there twice", s.Path)
		}
		seen[s.Path] = true
	}
}

func TestWhatSettingsPrintsIsReadBackToTheSame(t *testing.T) {
	c, err := Load("", []string{home, "RECKON_KAFKA_BROKERS=a:1,b:2", "RECKON_BILLING_GRACE=1h30m"})
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{home}
	for _, s := range c.Settings() {
		environ = append(environ, s.Env+"="+s.Value)
	}
	again, err := Load("", environ)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(again.Settings()), fmt.Sprint(c.Settings()); got != want {
		t.Errorf("read back:\n%s\nwant:\n%s", got, want)
	}
	for i, s := range Settings() {
		if got := leaves(&c)[i]; s.Value != s.Default || s.Path != got.Path {
			t.Errorf("%s: listed with %q, its default is %q", s.Path, s.Value, s.Default)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]ByteSize{
		"0": 0, "1048577": MiB + 1, "1048576": MiB, "3KiB": 3 * KiB, "64MiB": 64 * MiB, "2 GiB": 2 * GiB,
	} {
		var got ByteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d (%v), want %d", text, got, err, want)
		}
		var again ByteSize
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%q is printed as %q, which reads as %d (%v)", text, got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "1.5GiB", "1GB", "9999999999GiB", "MiB", "0x10"} {
		var got ByteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %d", text, got)
		}
	}
}
