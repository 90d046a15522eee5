package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestTheLoggerWritesItsFormatFromItsLevelOn(t *testing.T) {
	for name, tc := range map[string]struct{ level, format, want string }{
		"text from warn on": {"warn", "text", `level=WARN msg=second rows=2` + "\n"},
		"json from warn on": {"warn", "json", `"level":"WARN","msg":"second","rows":2}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := NewLogger(&out, tc.level, tc.format)
			if err != nil {
				t.Fatal(err)
			}
			log.Info("first", "rows", 1)
			log.Warn("second", "rows", 2)
			if got := out.String(); !strings.HasSuffix(got, tc.want) || strings.Contains(got, "first") {
				t.Errorf("got %q, want it to end in %q", got, tc.want)
			}
		})
	}
}

func TestALoggerOfUnknownLevelOrFormatIsRefused(t *testing.T) {
	for _, tc := range []struct{ level, format string }{{"loud", "text"}, {"info", "xml"}} {
		if _, err := NewLogger(io.Discard, tc.level, tc.format); err == nil {
			t.Errorf("level %s with format %s was taken", tc.level, tc.format)
		}
	}
}

func TestTheRegistrySaysWhichProgramItIs(t *testing.T) {
	families, err := NewRegistry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, f := range families {
		if f.GetName() != "reckon_build_info" {
			continue
		}
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if v := f.GetMetric()[0].GetGauge().GetValue(); v != 1 {
			t.Errorf("it is %v, want 1", v)
		}
	}
	if _, named := labels["commit"]; !named || !strings.Contains(labels["go"], "go1.") || labels["version"] == "" {
		t.Errorf("reckon_build_info has the labels %v", labels)
	}
}

func TestReadinessNamesWhatIsNotReadyAndWhy(t *testing.T) {
	reg, health := NewRegistry(), NewHealth(time.Now)
	ingest, invoicer := health.Check("ingest"), health.Check("invoicer")
	base := serve(t, reg, health)
	for _, step := range []struct {
		name string
		do   func()
		code int
		want string
	}{
		{
			"at first nothing is ready", func() {}, 503,
			`{"ready":false,"checks":[{"name":"ingest","ready":false,"reason":"starting"},{"name":"invoicer","ready":false,"reason":"starting"}]}`,
		},
		{
			"one of two is not enough", func() { invoicer.Ready(); ingest.NotReady("no broker") }, 503,
			`{"ready":false,"checks":[{"name":"ingest","ready":false,"reason":"no broker"},{"name":"invoicer","ready":true}]}`,
		},
		{
			"all are", func() { ingest.Ready() }, 200,
			`{"ready":true,"checks":[{"name":"ingest","ready":true},{"name":"invoicer","ready":true}]}`,
		},
		{
			"one fell back", func() { invoicer.NotReady("stopped") }, 503,
			`{"ready":false,"checks":[{"name":"ingest","ready":true},{"name":"invoicer","ready":false,"reason":"stopped"}]}`,
		},
	} {
		step.do()
		code, body := get(t, base+"/readyz")
		if code != step.code || strings.TrimSpace(body) != step.want {
			t.Errorf("%s: got %d %s, want %d %s", step.name, code, body, step.code, step.want)
		}
		if code, body := get(t, base+"/healthz"); code != 200 || body != "ok\n" {
			t.Errorf("%s: /healthz gave %d %q", step.name, code, body)
		}
	}
}

func TestMetricsHoldTheProcessTheRuntimeAndOurs(t *testing.T) {
	reg := NewRegistry()
	rows := prometheus.NewCounter(prometheus.CounterOpts{Name: "test_rows_total", Help: "Rows."})
	reg.MustRegister(rows)
	rows.Add(3)
	_, body := get(t, serve(t, reg, NewHealth(time.Now))+"/metrics")
	for _, want := range []string{"\ntest_rows_total 3\n", "\ngo_goroutines ", "\nprocess_resident_memory_bytes "} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in:\n%s", want, body)
		}
	}
}

func TestAMetricThatCannotBeComputedDoesNotHideTheOthers(t *testing.T) {
	reg := NewRegistry()
	reg.MustRegister(broken{prometheus.NewDesc("test_broken", "Broken.", nil, nil)})
	code, body := get(t, serve(t, reg, NewHealth(time.Now))+"/metrics")
	if code != 200 || !strings.Contains(body, "\ngo_goroutines ") {
		t.Errorf("got %d:\n%s", code, body)
	}
}

type broken struct{ desc *prometheus.Desc }

func (b broken) Describe(ch chan<- *prometheus.Desc) { ch <- b.desc }
func (b broken) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(b.desc, errors.New("no store"))
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	base := serve(t, NewRegistry(), NewHealth(time.Now))
	if code, _ := get(t, base+"/"); code != http.StatusNotFound {
		t.Errorf("/ gave %d", code)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/readyz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := do(t, request); code != http.StatusMethodNotAllowed {
		t.Errorf("POST /readyz gave %d", code)
	}
}

func TestATakenAddressIsNamed(t *testing.T) {
	taken := strings.TrimPrefix(serve(t, NewRegistry(), NewHealth(time.Now)), "http://")
	_, err := Listen(t.Context(), taken, NewRegistry(), NewHealth(time.Now), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), taken) {
		t.Errorf("got %v", err)
	}
}

func TestAScrapeThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	reg := NewRegistry()
	hang := hanging{desc: prometheus.NewDesc("test_hanging", "Hangs.", nil, nil), asked: make(chan struct{}), end: make(chan struct{})}
	reg.MustRegister(hang)
	t.Cleanup(func() { close(hang.end) })
	ctx, stop := context.WithCancel(t.Context())
	server, err := Listen(ctx, "127.0.0.1:0", reg, NewHealth(time.Now), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	go func() {
		request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, "http://"+server.Address()+"/metrics", http.NoBody)
		if err != nil {
			return
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	<-hang.asked
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(stopWithin + 3*time.Second):
		t.Error("still serving")
	}
}

type hanging struct {
	desc       *prometheus.Desc
	asked, end chan struct{}
}

func (h hanging) Describe(ch chan<- *prometheus.Desc) { ch <- h.desc }
func (h hanging) Collect(chan<- prometheus.Metric)    { close(h.asked); <-h.end }

// serve runs a server until the test ends and gives its address.
func serve(t *testing.T, reg *prometheus.Registry, health *Health) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	server, err := Listen(ctx, "127.0.0.1:0", reg, health, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + server.Address()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, request)
}

func do(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestAStatusWithoutChecksIsReadyAndHasAnEmptyList(t *testing.T) {
	got, err := json.Marshal(NewHealth(time.Now).Status())
	if want := `{"ready":true,"checks":[]}`; err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// T4: a check that nobody renews lapses, and tells how old its last success is.
func TestACheckLapsesUnlessItSucceedsAgainInTime(t *testing.T) {
	now := time.Unix(1000, 0)
	health := NewHealth(func() time.Time { return now })
	check := health.CheckWithin("clickhouse", 20*time.Second)
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"before anything", func() {}, `{"ready":false,"checks":[{"name":"clickhouse","ready":false,"reason":"starting"}]}`},
		{"at once", check.Ready, `{"ready":true,"checks":[{"name":"clickhouse","ready":true,"age_seconds":0}]}`},
		{"in time", func() { now = now.Add(20 * time.Second) }, `{"ready":true,"checks":[{"name":"clickhouse","ready":true,"age_seconds":20}]}`},
		{
			"too late", func() { now = now.Add(1400 * time.Millisecond) },
			`{"ready":false,"checks":[{"name":"clickhouse","ready":false,"reason":"nothing has succeeded for 21s","age_seconds":21.4}]}`,
		},
		{
			"and failing", func() { check.NotReady("refused") },
			`{"ready":false,"checks":[{"name":"clickhouse","ready":false,"reason":"refused","age_seconds":21.4}]}`,
		},
		{"well again", check.Ready, `{"ready":true,"checks":[{"name":"clickhouse","ready":true,"age_seconds":0}]}`},
	} {
		step.do()
		got, err := json.Marshal(health.Status())
		if err != nil || string(got) != step.want {
			t.Errorf("%s: %s (%v), want %s", step.name, got, err, step.want)
		}
	}
}
