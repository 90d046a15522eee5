package codec

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// sdkEvents are the events that the SDKs were handed, written plainly.
func sdkEvents() map[string]string {
	return map[string]string{
		"created": `{"specversion":"1.0","id":"order-1","source":"/vserver/hcm","type":"resource.created","subject":"srv-1",` +
			`"time":"2026-10-01T00:00:00.25+07:00","data":{"account_id":"acme","resource_name":"Máy chủ web <\"1\">",` +
			`"product":"vServer","service":"Virtual server","mode":"prepaid","expires_at":"2026-10-31T00:00:00+07:00","auto_renew":true,` +
			`"items":[{"item":"server","unit":"server","unit_price":"165000","quantity":"1","discount_percent":"12.5","tax_percent":"10"},` +
			`{"item":"out","unit":"GB","unit_price":"800.5","meter":"sum","per":"use","free_quantity":"100"}],` +
			`"coupon":{"code":"WELCOME","value":"20000"}}}`,
		"usage": `{"specversion":"1.0","id":"usage-1","source":"/meter/hcm","type":"usage.recorded","subject":"srv-1","sequence":"17",` +
			`"time":"2026-10-01T10:00:00+07:00","data":{"account_id":"acme","item":"out","value":"12.5"}}`,
		"deleted": `{"specversion":"1.0","id":"order-2","source":"/vserver/hcm","type":"resource.deleted","subject":"srv-1",` +
			`"time":"2026-10-28T17:45:00Z","data":{"account_id":"acme"}}`,
	}
}

// sdkMessage is what an SDK made of an event.
type sdkMessage struct {
	name, event string
	schemas.Message
}

// sdkMessages reads the files of testdata/sdks, whose README says how they are written.
func sdkMessages(t testing.TB) (all []sdkMessage) {
	t.Helper()
	paths, err := filepath.Glob("testdata/sdks/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no messages of SDKs", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for block := range bytes.SplitSeq(bytes.TrimSpace(text), []byte("\n\n")) {
			lines := bytes.Split(block, []byte("\n"))
			name := strings.TrimPrefix(string(lines[0]), "== ")
			event, _, _ := strings.Cut(name, " ")
			last := len(lines) - 1
			m := sdkMessage{name: filepath.Base(path) + ", " + name, event: event, Message: schemas.Message{Time: farStamp(), Value: lines[last]}}
			for _, line := range lines[1:last] {
				key, value, found := bytes.Cut(line, []byte(": "))
				if !found {
					value = nil
				}
				m.Headers = append(m.Headers, schemas.Header{Key: string(key), Value: value})
			}
			all = append(all, m)
		}
	}
	return all
}

func TestWhatTheSDKsWriteIsTakenAndIsOneEventInEveryWay(t *testing.T) {
	events, schemasOf, p := sdkEvents(), compileSchemas(t), newFast()
	packed, unset, withoutValue := 0, 0, 0
	for _, m := range sdkMessages(t) {
		want, reason := reasonOf(t, structured(events[m.event]))
		if reason != "" {
			t.Fatalf("%q is refused: %s", m.event, reason)
		}
		got, reason := reasonOf(t, &m.Message)
		if reason != "" || !same(&got, &want) || Content(&got) != Content(&want) {
			t.Errorf("%s: %q, %+v, want %+v", m.name, reason, got, want)
		}
		if !bothRead(t, p, &m.Message) {
			t.Errorf("%s falls back", m.name)
		}
		isStructured := !strings.Contains(m.name, "binary")
		if isStructured && schemasOf.refuses(t, m.Value) {
			t.Errorf("%s: its schema refuses it", m.name)
		}
		if account, ok := AccountOf(m.Value); ok != isStructured || (ok && account != "acme") {
			t.Errorf("%s: is of account %q", m.name, account)
		}
		if bytes.Contains(m.Value, []byte(`"data_base64"`)) {
			packed++
		}
		if bytes.Contains(m.Value, []byte(`null`)) {
			unset++
		}
		for _, h := range m.Headers {
			if h.Value == nil {
				withoutValue++
			}
		}
	}
	if packed == 0 || unset == 0 || withoutValue == 0 {
		t.Errorf("%d in base64, %d with null, %d headers without a value: each has to be there", packed, unset, withoutValue)
	}
}
