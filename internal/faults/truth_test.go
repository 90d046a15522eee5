package faults

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/schemas"
)

// The cloud whose events are sent: each account has one resource, which lived all
// of March 2025 with a fixed item and a metered one.
const (
	month     = "2025-03"
	accounts  = 200
	minutes   = 31 * 24 * 60
	vmPrice   = 43_200 // for 30 days: a đồng a minute
	unitPrice = 3
)

// truth makes events and knows what they must come to.
type truth struct {
	made     int // usage events, numbered from 0
	count    [accounts]int64
	sum      [accounts]int64
	messages int64 // sent, poison too
	repeats  int64 // sent again at most, where nobody heard whether they arrived
	poison   int64
}

func account(i int) string  { return fmt.Sprintf("account-%03d", i) }
func resource(i int) string { return fmt.Sprintf("vm-%03d", i) }

// event is CloudEvents JSON around data.
func event(id, kind, subject, at, data string) []byte {
	return []byte(`{"specversion":"1.0","source":"/faults","id":"` + id + `","type":"` + kind + `","subject":"` + subject +
		`","time":"` + at + `","data":` + data + `}`)
}

// created is the events that begin each resource's life.
func (c *truth) created(topic string, now time.Time) []schemas.Message {
	var all []schemas.Message
	for i := range accounts {
		data := fmt.Sprintf(`{"account_id":%q,"mode":"postpaid","resource_name":%q,"product":"vServer","service":"vm","items":[`+
			`{"item":"vm","unit":"vm","unit_price":%d,"quantity":1},`+
			`{"item":"traffic","unit":"GB","unit_price":%d,"meter":"sum","per":"use"}]}`, account(i), resource(i), vmPrice, unitPrice)
		all = append(all, schemas.Message{
			Position: schemas.Position{Topic: topic}, Time: now, Key: []byte(account(i)),
			Value: event("c-"+strconv.Itoa(i), "resource.created", resource(i), "2025-03-01T00:00:00+07:00", data),
		})
	}
	c.messages += accounts
	return all
}

// usage is the next n usage events, spread over the month.
func (c *truth) usage(topic string, n int, now time.Time) []schemas.Message {
	begin := time.Date(2025, 3, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600))
	all := make([]schemas.Message, n)
	for k := range all {
		i := c.made
		a, value := i*7919%accounts, int64(1+i%97)
		at := begin.Add(time.Duration(i*31) * time.Second % (31 * 24 * time.Hour)).Format(time.RFC3339)
		all[k] = schemas.Message{
			Position: schemas.Position{Topic: topic}, Time: now, Key: []byte(account(a)),
			Value: event("u-"+strconv.Itoa(i), "usage.recorded", resource(a), at,
				`{"account_id":"`+account(a)+`","item":"traffic","value":`+strconv.FormatInt(value, 10)+`}`),
		}
		c.made++
		c.count[a]++
		c.sum[a] += value
	}
	c.messages += int64(n)
	return all
}

// total is what the account's invoice must come to, in đồng.
func (c *truth) total(i int) int64 { return minutes*vmPrice/43_200 + unitPrice*c.sum[i] }

// produce writes the messages, again and again where the broker is away: those
// that were written though nobody heard come twice.
func produce(t *testing.T, client *kafka.Client, messages []schemas.Message) (repeats int) {
	t.Helper()
	topics := map[string]bool{}
	for i := range messages {
		topics[messages[i].Topic] = true
	}
	var names []string
	for name := range topics {
		names = append(names, name)
	}
	for limit := time.Now().Add(2 * time.Minute); ; repeats += len(messages) {
		p, err := client.NewProducer(t.Context(), names...)
		if err == nil {
			_, err = p.Produce(t.Context(), messages)
			p.Close()
		}
		if err == nil {
			return repeats
		}
		if time.Now().After(limit) {
			t.Fatalf("produce %d messages: %v", len(messages), err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
