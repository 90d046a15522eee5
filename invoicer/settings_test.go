package invoicer

import (
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Whoever sets billing back learns of each fixed setting at once.
func TestEverySettingThatIsFixedIsToldAtOnce(t *testing.T) {
	fixed := &books{runs: []schemas.Run{{
		Number: 1, Currency: "VND", Zone: "Asia/Ho_Chi_Minh", FirstMonth: schemas.Month{Year: 2026, Month: time.October},
	}}}
	others := &Invoicer{Currency: schemas.Currency{Code: "JPY"}, Zone: time.UTC, FirstMonth: schemas.Month{Year: 2026, Month: time.November}}
	want := `billing.currency: is JPY, but the first seal fixed VND: set it back
billing.zone: is UTC, but the first seal fixed Asia/Ho_Chi_Minh: set it back
billing.first_month: is 2026-11, but the first seal fixed 2026-10: set it back`
	if err := others.checkFixed(fixed); err == nil || err.Error() != want {
		t.Errorf("said %v, not\n%s", err, want)
	}
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	same := &Invoicer{Currency: schemas.Currency{Code: "VND"}, Zone: zone} // a first month that is not set is as fixed
	if err := same.checkFixed(fixed); err != nil {
		t.Error(err)
	}
	if err := others.checkFixed(&books{}); err != nil {
		t.Errorf("before the first seal: %v", err)
	}
}
