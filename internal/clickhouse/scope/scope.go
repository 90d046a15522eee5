package scope

import (
	"embed"
	"slices"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// Parts are queries/parts: before_cutoff.sql for [BindCutoff], in_scope.sql for [Bind].
//
//go:embed queries/parts/*.sql
var Parts embed.FS

// BindCutoff binds a cutoff as three arrays, their names after a prefix: topics;
// keys, a number for each partition, log * 2^48 + (place of the topic in topics,
// from 1) * 2^32 + partition; ends, one for each key. So the server looks a row's end up
// by one number.
func BindCutoff(prefix string, cutoff schemas.Cutoff) []any {
	topics := make([]string, 0, 2)
	keys, ends := make([]int64, len(cutoff)), make([]int64, len(cutoff))
	for i, p := range cutoff {
		place := slices.Index(topics, p.Topic)
		if place < 0 {
			place = len(topics)
			topics = append(topics, p.Topic)
		}
		keys[i], ends[i] = int64(p.Log)<<48+int64(place+1)<<32+int64(p.Partition), p.End
	}
	return []any{column.Bind(prefix+"topics", topics), column.Bind(prefix+"keys", keys), column.Bind(prefix+"ends", ends)}
}

// BindTime draws a bound of event times in to the years 1970 to 2200, between
// which all events lie (contract 2): the store has no such instant as the year 1.
func BindTime(name string, at time.Time) any { return column.Bind(name, DrawnIn(at)) }

// DrawnIn draws a bound in as [BindTime] does.
func DrawnIn(at time.Time) time.Time {
	switch year := at.UTC().Year(); {
	case year < 1970:
		return time.Unix(0, 0).UTC()
	case year >= 2200:
		return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return at
}

// BindAccounts binds the accounts to restrict to, nil for all.
func BindAccounts(accounts []string) []any {
	all := accounts == nil
	if all {
		accounts = []string{}
	}
	return []any{column.Bind("all_accounts", all), column.Bind("accounts", accounts)}
}

// Bind binds all of a scope but its times and month.
func Bind(of *aggregate.Scope) []any {
	except := of.Except
	if except == nil {
		except = []string{}
	}
	args := append(BindCutoff("", of.Cutoff), BindAccounts(of.Accounts)...)
	return append(args, column.Bind("except", except), column.Bind("run", of.Run), column.Bind("survey", of.Survey),
		column.Bind("touched", uint8(of.Touched))) //nolint:gosec // 0 to 2
}
