package clickhouse

import (
	"slices"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// bindCutoff binds a cutoff as three arrays, their names after a prefix: topics;
// keys, a number for each partition, (place of the topic in topics, from 1) *
// 2^32 + partition; ends, one for each key. So the server looks a row's end up
// by one number.
func bindCutoff(prefix string, cutoff schemas.Cutoff) []any {
	topics := make([]string, 0, 2)
	keys, ends := make([]int64, len(cutoff)), make([]int64, len(cutoff))
	for i, p := range cutoff {
		place := slices.Index(topics, p.Topic)
		if place < 0 {
			place = len(topics)
			topics = append(topics, p.Topic)
		}
		keys[i], ends[i] = int64(place+1)<<32+int64(p.Partition), p.End
	}
	return []any{column.Bind(prefix+"topics", topics), column.Bind(prefix+"keys", keys), column.Bind(prefix+"ends", ends)}
}

// bindTime draws a bound of event times in to the years 1970 to 2200, between
// which all events lie (contract 2): the store has no such instant as the year 1.
func bindTime(name string, at time.Time) any { return column.Bind(name, drawnIn(at)) }

func drawnIn(at time.Time) time.Time {
	switch year := at.UTC().Year(); {
	case year < 1970:
		return time.Unix(0, 0).UTC()
	case year >= 2200:
		return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return at
}

// bindAccounts binds the accounts to restrict to, nil for all.
func bindAccounts(accounts []string) []any {
	all := accounts == nil
	if all {
		accounts = []string{}
	}
	return []any{column.Bind("all_accounts", all), column.Bind("accounts", accounts)}
}

// bindScope binds all of a scope but its times and month.
func bindScope(scope *aggregate.Scope) []any {
	except := scope.Except
	if except == nil {
		except = []string{}
	}
	args := append(bindCutoff("", scope.Cutoff), bindAccounts(scope.Accounts)...)
	return append(args, column.Bind("except", except), column.Bind("run", scope.Run), column.Bind("touched", uint8(scope.Touched))) //nolint:gosec // 0 to 2
}
