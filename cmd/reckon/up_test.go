package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
)

// TestUp is a small installation's life: reckon up on the embedded stack, a
// producer and an asker that nobody here wrote, a month that falls due, and three
// more lives on the same folder.
func TestUp(t *testing.T) {
	for _, tool := range []string{"kcat", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("this test needs %[1]s: run make test as root, or apt-get install %[1]s", tool)
		}
	}
	u := newUpTest(t)
	_ = t.Run("a month is sealed when it is due", u.firstLife) &&
		t.Run("started again it goes on where it was, and ends on SIGTERM", u.secondLife) &&
		t.Run("killed and started again it has lost nothing", u.thirdLife)
}

type upTest struct {
	folder   string
	settings []string
	month    schemas.Month
	// banner is what the first life printed but for the address of /metrics.
	banner string
	report string
}

// newUpTest bills the month before this one, so that events of the past can be
// of a month that is about to end by the program's clock.
func newUpTest(t *testing.T) *upTest {
	z := zone(t)
	ports := testkit.MustFreePorts(t, 3)
	u := &upTest{folder: filepath.Join(t.TempDir(), "data"), month: schemas.MonthOf(time.Now(), z).Prev()}
	u.settings = []string{
		"RECKON_DATA_DIR=" + u.folder,
		"RECKON_LISTEN=127.0.0.1:0",
		"RECKON_BILLING_FIRST_MONTH=" + u.month.String(),
		"RECKON_BILLING_GRACE=0s",
		"RECKON_BILLING_SCHEDULE=@every 1s",
		fmt.Sprintf("RECKON_KAFKA_EMBEDDED_PORT=%d", ports[0]),
		fmt.Sprintf("RECKON_CLICKHOUSE_EMBEDDED_NATIVE_PORT=%d", ports[1]),
		fmt.Sprintf("RECKON_CLICKHOUSE_EMBEDDED_HTTP_PORT=%d", ports[2]),
	}
	return u
}

// address finds where something listens in what up printed.
func address(t *testing.T, o *testkit.Output, what string) string {
	t.Helper()
	return o.Await(t, `^ +`+what+` +(\S+)$`)[1]
}

// events is what a product service sends: a day of a server with traffic.
func (u *upTest) events() (lifecycle, usage string) {
	day := func(n int) string { return fmt.Sprintf("%s-%02dT00:00:00+07:00", u.month, n) }
	lifecycle = `acme|{"specversion":"1.0","id":"1","source":"kcat","type":"resource.created","subject":"server","time":"` + day(10) +
		`","data":{"account_id":"acme","mode":"postpaid","resource_name":"máy chủ","product":"p","service":"s","items":[` +
		`{"item":"cpu","unit":"core","unit_price":"43200","quantity":"1","tax_percent":"10"},` +
		`{"item":"out","unit":"GB","unit_price":"100","meter":"sum","per":"use"}]}}` + "\n" +
		`acme|{"specversion":"1.0","id":"2","source":"kcat","type":"resource.deleted","subject":"server","time":"` + day(11) +
		`","data":{"account_id":"acme"}}` + "\n" + "acme|this is not an event\n"
	usage = `acme|{"specversion":"1.0","id":"3","source":"kcat","type":"usage.recorded","subject":"server","time":"` +
		fmt.Sprintf("%s-10T12:00:00+07:00", u.month) + `","data":{"account_id":"acme","item":"out","value":2.5}}` + "\n"
	return lifecycle, usage
}

// send produces with kcat, keyed by what stands before the bar.
func send(t *testing.T, brokers, topic, lines string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "kcat", "-P", "-b", brokers, "-t", topic, "-K", "|", "-X", "topic.partitioner=murmur2_random")
	c.Stdin = strings.NewReader(lines)
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("kcat: %v\n%s", err, said)
	}
}

func (u *upTest) sendAll(t *testing.T, brokers string) {
	t.Helper()
	lifecycle, usage := u.events()
	send(t, brokers, "billing.lifecycle", lifecycle)
	send(t, brokers, "billing.usage", usage)
}

// ask asks ClickHouse with curl, as the user whose password lies in the folder.
func (u *upTest) ask(t *testing.T, query string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(u.folder, "endpoints.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e embedded.Endpoints
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "curl", "-sS", "--fail-with-body", "--max-time", "30", "--user", e.User+":"+e.Password,
		"--data-binary", query, "http://"+e.HTTP+"/?database=reckon")
	answer, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, answer)
	}
	return string(answer)
}

// wantRows are what the view tells of the day: 1,440 minutes at one đồng each
// with 10 % of tax, and 2.5 GB of 100.
func (u *upTest) wantRows() string {
	return fmt.Sprintf(`"acme","máy chủ","cpu",1440,1440,144,1584,"%[1]s"`+"\n"+`"acme","máy chủ","out",1440,250,0,250,"%[1]s"`+"\n", u.month)
}

const rowsQuery = "SELECT account_id, resource_name, item, minutes, before_tax, tax_amount, total_amount, month FROM usage_report FORMAT CSV"

func (u *upTest) firstLife(t *testing.T) {
	// By the program's clock the month ends tomorrow, until it is let go on.
	var behind atomic.Int64
	behind.Store(int64(time.Since(u.month.End(zone(t)).Add(-24 * time.Hour))))
	var stdout, stderr testkit.Output
	a := &cli{
		environ: slices.Concat(outside(), u.settings), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		now: func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) },
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() { ended <- a.run(ctx, []string{"up"}) }()
	brokers, metrics := address(t, &stdout, "kafka"), address(t, &stdout, "metrics")
	u.banner, _, _ = strings.Cut(stdout.String(), "  metrics")

	u.sendAll(t, brokers)
	eventually(t, "three events and a reject are stored", func() bool {
		return u.ask(t, "SELECT (SELECT count() FROM events FINAL), (SELECT count() FROM dead_letters FINAL) FORMAT CSV") == "3,1\n"
	})
	if got := u.ask(t, "SELECT count() FROM runs"); got != "0\n" {
		t.Errorf("%s runs before the month has ended", got)
	}
	behind.Store(0)
	eventually(t, "the month is sealed", func() bool { return u.ask(t, "SELECT count() FROM seals") == "1\n" })
	if got := u.ask(t, rowsQuery); got != u.wantRows() {
		t.Errorf("the view says\n%s\nmust be\n%s", got, u.wantRows())
	}
	u.secondProcess(t)
	u.answers(t, metrics)

	asked := time.Now()
	stop()
	select {
	case code := <-ended:
		t.Logf("stopped within %s", time.Since(asked))
		if code != 0 || time.Since(asked) > 5*time.Second {
			t.Errorf("ended with %d after %s:\n%s", code, time.Since(asked), stderr.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("does not stop")
	}
	if strings.Contains(stderr.String(), "level=ERROR") {
		t.Errorf("something failed:\n%s", stderr.String())
	}
}

// secondProcess: other commands find the stack that runs.
func (u *upTest) secondProcess(t *testing.T) {
	t.Helper()
	got := runProgram(t, u.settings, "report", "usage", "--month", u.month.String(), "--format", "csv")
	if got.code != 0 || strings.Count(got.stdout, "\n") != 3 || !strings.Contains(got.stdout, ",1440,144,,0,1584,"+u.month.String()+",invoice\n") {
		t.Errorf("a report beside it ended with %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	u.report = got.stdout
	got = runProgram(t, u.settings, "invoice", "--month", u.month.String())
	if got.code != 0 || !strings.Contains(got.stdout, "sealed already") {
		t.Errorf("a seal beside it ended with %d and said %s%s", got.code, got.stdout, got.stderr)
	}
}

// answers asks what operations ask.
func (u *upTest) answers(t *testing.T, metrics string) {
	t.Helper()
	get := func(path string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(metrics, "/metrics")+path, nil)
		if err != nil {
			t.Fatal(err)
		}
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
	if status, body := get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d %s", status, body)
	}
	eventually(t, "/readyz says it is ready", func() bool {
		status, body := get("/readyz")
		return status == http.StatusOK && strings.Contains(body, `"ready":true`)
	})
	_, body := get("/metrics")
	sealed := fmt.Sprintf("%d%02d", u.month.Year, u.month.Month)
	for _, want := range []string{`reckon_store_copies{what="stored"}`, `reckon_invoicer_lines_total 2`, "reckon_ingest_", "reckon_supervisor_restarts_total"} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics does not tell %s", want)
		}
	}
	value := regexp.MustCompile(`(?m)^reckon_invoicer_sealed_month (\S+)$`).FindStringSubmatch(body)
	if value == nil {
		t.Fatal("/metrics does not tell the sealed month")
	}
	if month, err := decimal.NewFromString(value[1]); err != nil || month.String() != sealed {
		t.Errorf("/metrics tells that %s is sealed, not %s", value[1], sealed)
	}
}

// begin starts up as a process of its own.
func (u *upTest) begin(t *testing.T) *testkit.Process {
	t.Helper()
	return testkit.Start(t, program(u.settings, "up"))
}

func (u *upTest) secondLife(t *testing.T) {
	p := u.begin(t)
	brokers := address(t, &p.Out, "kafka")
	address(t, &p.Out, "metrics")
	if banner, _, _ := strings.Cut(p.Out.String(), "  metrics"); banner != u.banner {
		t.Errorf("it listens elsewhere now:\n%s\nbefore:\n%s", banner, u.banner)
	}
	u.sendAll(t, brokers) // the same again
	eventually(t, "the copies are stored", func() bool {
		return u.ask(t, "SELECT (SELECT count() FROM events FINAL), (SELECT count() FROM dead_letters FINAL) FORMAT CSV") == "6,2\n"
	})
	if got := u.ask(t, "SELECT verdict, count() FROM repeated_events GROUP BY verdict FORMAT CSV"); got != "\"duplicate\",3\n" {
		t.Errorf("the copies are %s", got)
	}
	if got := u.ask(t, rowsQuery); got != u.wantRows() {
		t.Errorf("the view says\n%s\nmust be\n%s", got, u.wantRows())
	}
	took := p.Terminate(t)
	t.Logf("stopped within %s", took)
	if p.ExitCode() != 0 || took > 5*time.Second {
		t.Errorf("ended with %d after %s:\n%s", p.ExitCode(), took, &p.Log)
	}
}

func (u *upTest) thirdLife(t *testing.T) {
	p := u.begin(t)
	address(t, &p.Out, "metrics")
	p.Kill()
	if p.ExitCode() == 0 {
		t.Error("a killed process says it succeeded")
	}
	// Nobody runs on the folder: the report starts the engines itself.
	got := runReckon(t, u.settings, "report", "usage", "--month", u.month.String(), "--format", "csv")
	if got.code != 0 {
		t.Fatalf("ended with %d:\n%s", got.code, got.stderr)
	}
	sameText(t, got.stdout, u.report)
	got = runReckon(t, u.settings, "invoice", "--month", u.month.String())
	if got.code != 0 || strings.Contains(got.stdout, "1 invoices") {
		t.Errorf("sealing again ended with %d and said %s%s", got.code, got.stdout, got.stderr)
	}
	got = runReckon(t, u.settings, "report", "usage", "--month", u.month.String(), "--format", "csv")
	sameText(t, got.stdout, u.report)
}
