package app

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// TestAMessageThatIsTooLargeToBeHeldIsADeadLetterAndItsNeighboursAreStored (O4): its
// head would be an event, and is not replayed as one.
func TestAMessageThatIsTooLargeToBeHeldIsADeadLetterAndItsNeighboursAreStored(t *testing.T) {
	const large = 900 << 20
	l := newLife(t)
	l.startIngest()
	l.send(lifecycle, event("c1", "resource.created", "r1", "2026-09-01", machine))
	batch := kafkatest.Batch{
		Last: 2, Count: 3, Attributes: kafkatest.Zstd, Producer: -1, Time: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC).UnixMilli(),
		Body: kafkatest.Pack(t, kafkatest.Zstd, func(w io.Writer) {
			kafkatest.Write(t, w,
				kafkatest.Message{Value: []byte(used("u1", "r1", "2026-09-02", 10))},
				kafkatest.Message{Delta: 1, Key: []byte("a1"), Value: []byte(used("u2", "r1", "2026-09-02", 1000)), More: large},
				kafkatest.Message{Delta: 2, Value: []byte(used("u3", "r1", "2026-09-02", 100))},
			)
		}),
	}
	l.admin().Produce(t, usage, 0, &batch)
	l.seal("2026-09")
	l.expect("2026-09", map[string]int64{"r1 invoice": 30*24*60 + 110})
	var letters []string
	err := l.app.Store.DeadLetters(t.Context(), audit.DeadLetterFilter{}, true, func(d *audit.DeadLetter) error {
		letters = append(letters, fmt.Sprintf("%s %s %d %s", d.Where(), d.Reason, len(d.Value), d.Key))
		if !strings.HasPrefix(string(d.Value), used("u2", "r1", "2026-09-02", 1000)+"  ") || !strings.Contains(d.Detail, fmt.Sprint(large - 1<<16)[:4]) {
			t.Errorf("kept is %.200q, because %s", d.Value, d.Detail)
		}
		return nil
	})
	if want := fmt.Sprintf("%s/0/1 %s %d a1", usage, codec.RejectTooLarge, 64<<10); err != nil || len(letters) != 1 || letters[0] != want {
		t.Fatalf("the letters are %q, %v; want %q", letters, err, want)
	}
	proof, err := l.app.Auditor().Verify(t.Context(), schemas.Month{Year: 2026, Month: time.September}, false)
	if err != nil || len(proof.Found) > 0 {
		t.Errorf("verify: %v, %+v", err, proof)
	}
	for _, r := range []LetterReplay{{}, {Fixed: true, Fix: []byte(used("u2", "r1", "2026-09-02", 1000))}} {
		c, err := l.app.PreviewLetters(t.Context(), &r, func(*audit.DeadLetter, *schemas.Rejection) {})
		if err != nil || c.Heads == c.Stored || c.Left() != c.Stored || (c.Stored == 1) != r.Fixed {
			t.Errorf("of the letter there are %+v, %v", c, err)
		}
	}
}
