package report

import (
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// grouped puts a comma between each three digits before the point.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	whole, places, hasPlaces := strings.Cut(number, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if hasPlaces {
		b.WriteString("." + places)
	}
	return sign + b.String()
}

func plain(d decimal.Decimal) string { return grouped(schemas.FormatDecimal(d)) }

func money(c schemas.Currency, amount decimal.Decimal) string { return grouped(c.Format(amount)) }

// minute writes a time in the billing zone for people, to the minute.
func minute(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 -07:00")
}

// counted is a number and what it counts, in the plural where it must be.
func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(strconv.FormatInt(n, 10)) + " " + what + "s"
}

// span spells a number of minutes in days of 1,440, hours and minutes.
func span(minutes int64) string {
	var parts []string
	for _, unit := range []struct {
		minutes int64
		name    string
	}{{1_440, "day"}, {60, "hour"}, {1, "minute"}} {
		if n := minutes / unit.minutes; n > 0 {
			parts = append(parts, counted(n, unit.name))
		}
		minutes %= unit.minutes
	}
	if len(parts) == 0 {
		return counted(0, "minute")
	}
	return strings.Join(parts, " ")
}
