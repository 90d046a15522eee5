package clickhouse

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// testPeriodColumns: nothing reads periods back but people, so every column is
// looked at here.
func testPeriodColumns(t *testing.T, s *Store) {
	full := period("a", "r")
	full.Items[1] = schemas.PeriodItem{
		Item: schemas.Item{
			Name: "cpu", Unit: "vCPU", UnitPrice: decimal.RequireFromString("99999999999999999999.999999999"),
			Quantity: decimal.RequireFromString("0.5"), Per: schemas.Per1h,
			DiscountPercent: decimal.RequireFromString("33.3333"), TaxPercent: decimal.NewFromInt(10),
		},
		Billed: decimal.RequireFromString("0.5"),
	}
	bare := schemas.Period{
		AccountID: "b", ResourceID: "r", ResourceName: "x", Product: "p", Service: "v", Month: october(), Start: day(3), End: day(4),
		Mode: schemas.Prepaid, OpenedBy: schemas.EventRef{Source: "o", ID: "9", Type: schemas.ResourceRecovered, Time: day(3)},
	}
	write(t, s, 4, invoicer.Batch{Periods: []schemas.Period{full, bare}})
	for account, want := range map[string]string{
		"a": `('2026-09','r','2026-09-01 00:00:00.000',4,'2026-09-02 00:00:00.000','n','p','v','postpaid')` +
			`('TẾT',1000000000000000,5,'s','1')` +
			`('s','1','resource.created','2026-09-01 00:00:00.000','',0,0)true` +
			`('s','2','resource.deleted','2026-09-02 00:00:00.000','t',1,2)` +
			`(['băng thông','cpu'],['GB','vCPU'],[7,99999999999999999999.999999999],[0,0.5],['sum',''],['use','1h'],` +
			`[0,33.3333],[0,10],[0,0],[0.000000001,0],[0.000000001,0.5],[3,0])`,
		"b": `('2026-10','r','2026-09-03 00:00:00.000',4,'2026-09-04 00:00:00.000','x','p','v','prepaid')` +
			`('',0,0,'','')` +
			`('o','9','resource.recovered','2026-09-03 00:00:00.000','',0,0)false` +
			`('','','','1970-01-01 00:00:00.000','',0,0)` +
			`([],[],[],[],[],[],[],[],[],[],[],[])`,
	} {
		var got string
		err := clickhousetest.Direct(t, config(s)).QueryRow(t.Context(), `SELECT concat(
				toString(tuple(month, resource_id, period_start, run, period_end, resource_name, product, service, mode)),
				toString(tuple(coupon_code, coupon_value, coupon_used, coupon_source, coupon_id)),
				toString(tuple(opened_source, opened_id, opened_type, opened_time, opened_topic, opened_partition, opened_offset)),
				toString(is_closed),
				toString(tuple(closed_source, closed_id, closed_type, closed_time, closed_topic, closed_partition, closed_offset)),
				toString(tuple(item_names, item_units, item_unit_prices, item_quantities, item_meters, item_pers,
					item_discount_percents, item_tax_percents, item_free_quantities, item_measured, item_billed, item_usage)))
			FROM periods FINAL WHERE account_id = {account:String}`, column.Bind("account", account)).Scan(&got)
		if err != nil || got != want {
			t.Errorf("account %s: %v, got\n%s\nwant\n%s", account, err, got, want)
		}
	}
}
