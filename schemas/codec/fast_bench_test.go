package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// usageLoad makes n usage events of about 370 bytes as a metering product
// writes them: all different, with a trace and a content type.
func usageLoad(n int) []schemas.Message {
	messages := make([]schemas.Message, n)
	for i := range messages {
		at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 1_234_567 * time.Microsecond)
		messages[i] = *structured(fmt.Sprintf(`{"specversion":"1.0","id":"7f3c9a52-8d41-4b7e-9c10-%012x","source":"/vserver/hcm-3/meter",`+
			`"type":"usage.recorded","subject":"srv-%08d","time":%q,"datacontenttype":"application/json",`+
			`"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-%016x-01","data":{"account_id":"acc-%06d",`+
			`"item":"bandwidth_out","value":"%d.%06d"}}`,
			i, i%5000, at.Format("2006-01-02T15:04:05.000Z07:00"), i*7919, i%1000, i%97, i*7919%1_000_000))
	}
	return messages
}

// createdLoad makes n created events with five items.
func createdLoad(n int) []schemas.Message {
	messages := make([]schemas.Message, n)
	for i := range messages {
		var items []string
		for j, name := range []string{"vcpu", "ram", "disk", "ip"} {
			items = append(items, fmt.Sprintf(`{"item":%q,"unit":"GB","unit_price":"%d","quantity":%d,"per":"30d","discount_percent":"10","tax_percent":8}`,
				name, 55_000+j*500, 1+i%8))
		}
		items = append(items, `{"item":"traffic","unit":"GB","unit_price":"800.5","meter":"sum","per":"use","tax_percent":8,"free_quantity":"100"}`)
		messages[i] = *structured(fmt.Sprintf(`{"specversion":"1.0","id":"7f3c9a52-8d41-4b7e-9c10-%012x","source":"/vserver/hcm-3",`+
			`"type":"resource.created","subject":"srv-%08d","time":"2026-10-01T10:00:00+07:00","sequence":"%d","data":{"account_id":"acc-%06d",`+
			`"resource_name":"máy chủ %d","product":"vServer","service":"instance","mode":"prepaid","items":[%s],`+
			`"coupon":{"code":"WELCOME","value":20000},"expires_at":"2026-11-30T10:00:00+07:00","auto_renew":true}}`,
			i, i, i, i%1000, i, strings.Join(items, ",")))
	}
	return messages
}

// lenient is a reader that checks nothing, for the ratio: a struct for
// encoding/json with the members of the events above.
type lenient struct {
	SpecVersion, ID, Source, Type, Subject string
	Time                                   time.Time
	Data                                   struct {
		AccountID string `json:"account_id"`
		Item      string
		Value     json.Number
		Items     []struct {
			Item, Unit, Meter, Per string
			UnitPrice              json.Number `json:"unit_price"`
			Quantity               json.Number
			DiscountPercent        json.Number `json:"discount_percent"`
			TaxPercent             json.Number `json:"tax_percent"`
			FreeQuantity           json.Number `json:"free_quantity"`
		}
		Coupon    struct{ Value json.Number }
		ExpiresAt time.Time `json:"expires_at"`
	}
}

// BenchmarkFast reads events with FastParser, with Parser, and with
// encoding/json, which checks none of the rules.
func BenchmarkFast(b *testing.B) {
	const n = 4096
	binary := usageLoad(n)
	for i := range binary {
		binary[i] = *binaryMode(b, string(binary[i].Value), schemas.Header{Key: "content-type", Value: []byte("application/json")})
	}
	packed := usageLoad(n)
	for i := range packed {
		before, data, _ := bytes.Cut(packed[i].Value, []byte(`"data":`))
		text := base64.StdEncoding.EncodeToString(data[:len(data)-1])
		packed[i].Value = []byte(string(before) + `"data_base64":"` + text + `"}`)
	}
	for _, load := range []struct {
		name     string
		messages []schemas.Message
	}{{"usage", usageLoad(n)}, {"created", createdLoad(n)}, {"binary", binary}, {"base64", packed}} {
		fast := NewFastParser(Parser{Currency: vnd()})
		readers := []struct {
			name string
			read func(*schemas.Message) error
		}{
			{"fast", func(m *schemas.Message) error { _, err := fast.Parse(m); return err }},
			{"strict", func(m *schemas.Message) error { _, err := fast.Parser.Parse(m); return err }},
			{"encoding_json", func(m *schemas.Message) error { var v lenient; return json.Unmarshal(m.Value, &v) }},
		}
		for _, r := range readers {
			b.Run(load.name+"/"+r.name, func(b *testing.B) {
				b.SetBytes(int64(len(load.messages[0].Value)))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := r.read(&load.messages[i%n]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		if fast.Unsure > 0 {
			b.Errorf("%s: %d fell back", load.name, fast.Unsure)
		}
	}
}
