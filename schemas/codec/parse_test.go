package codec

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// The events that the tables below change.
const (
	createdEvent = `{"specversion":"1.0","id":"e-1","source":"/hcm","type":"resource.created","subject":"srv-1",` +
		`"time":"2026-10-01T10:00:00+07:00","data":{"account_id":"acc-1","resource_name":"web","product":"vServer",` +
		`"service":"instance","items":[{"item":"vcpu","unit":"vCPU","unit_price":"55000","quantity":2},` +
		`{"item":"traffic","unit":"GB","unit_price":800.5,"meter":"sum","per":"use"}],"coupon":{"code":"C","value":20000}}}`
	usageEvent = `{"specversion":"1.0","id":"u-1","source":"/hcm","type":"usage.recorded","subject":"srv-1",` +
		`"time":"2026-10-01T10:00:00+07:00","data":{"account_id":"acc-1","item":"traffic","value":5.56}}`
	accountEvent = `{"specversion":"1.0","id":"a-1","source":"/hcm","type":"account.mode_changed","subject":"acc-1",` +
		`"time":"2026-10-01T10:00:00+07:00","data":{"account_id":"acc-1","mode":"postpaid"}}`
)

// edit is one change to an event and what becomes of it: a reason, or accepted.
type edit struct {
	name, base, old, new, reason string
}

func (c edit) value(t testing.TB) string {
	t.Helper()
	if !strings.Contains(c.base, c.old) {
		t.Fatalf("%s: the event has no %s to change", c.name, c.old)
	}
	return strings.Replace(c.base, c.old, c.new, 1)
}

const (
	timeField = `"time":"2026-10-01T10:00:00+07:00"`
	firstName = `"specversion"`
	usageData = `"data":{"account_id":"acc-1","item":"traffic","value":5.56}`
	accepted  = ""
)

// strictEdits are all of the strict parser.
func strictEdits() []edit {
	return slices.Concat(jsonEdits(), attributeEdits(), base64Edits(), dataEdits(), numberEdits(), timeEdits())
}

func jsonEdits() []edit {
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	deeper := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	return []edit{
		{"space around everything", usageEvent, `{"account_id"`, " \r\n\t{ \"account_id\"", accepted},
		{"something after the event", usageEvent, `}}`, `}} {}`, RejectNotJSON},
		{"a comma too many", usageEvent, `}}`, `},}`, RejectNotJSON},
		{"a byte order mark", usageEvent, `{"specversion"`, "\ufeff{\"specversion\"", RejectNotJSON},
		{"a comment", usageEvent, `{"specversion"`, "/* */{\"specversion\"", RejectNotJSON},
		{"a line break in a text", usageEvent, `"acc-1"`, "\"acc\n1\"", RejectNotJSON},
		{"a plus sign before a number", usageEvent, `5.56`, `+5.56`, RejectNotJSON},
		{"a leading zero", usageEvent, `5.56`, `05.56`, RejectNotJSON},
		{"NaN", usageEvent, `5.56`, `NaN`, RejectNotJSON},
		{"a list of events", usageEvent, usageEvent, `[` + usageEvent + `]`, RejectWrongType},
		{"a number as an event", usageEvent, usageEvent, `7`, RejectWrongType},
		{"null as an event", usageEvent, usageEvent, `null`, RejectWrongType},
		{"deep nesting where nothing nests", usageEvent, `5.56`, deep, RejectWrongType},
		{"nesting deeper than the reader goes", usageEvent, `5.56`, deeper, RejectNotJSON},
		{"a name twice in the event", usageEvent, firstName, `"id":"u-1",` + firstName, RejectDuplicateName},
		{"an extension twice", usageEvent, firstName, `"x":1,"x":1,` + firstName, RejectDuplicateName},
		{"a name twice in data", usageEvent, `"value":5.56`, `"value":5.56,"value":5.56`, RejectDuplicateName},
		{"a name twice in an item", createdEvent, `"quantity":2`, `"quantity":2,"quantity":2`, RejectDuplicateName},
		{"a name twice in a coupon", createdEvent, `"code":"C"`, `"code":"C","code":"C"`, RejectDuplicateName},
		{"a name twice in an object that must not be there", usageEvent, `5.56`, `{"a":1,"a":1}`, RejectDuplicateName},
		{"a name twice once it is unescaped", usageEvent, `"value":5.56`, `"value":5.56,"v\u0061lue":5.56`, RejectDuplicateName},
		{"data twice", usageEvent, `"data":`, `"data":{},"data":`, RejectDuplicateName},
		{"half a surrogate pair", usageEvent, `"acc-1"`, `"\ud800"`, RejectInvalidUTF8},
		{"the other half", usageEvent, `"acc-1"`, `"\udc00\ud800"`, RejectInvalidUTF8},
		{"a surrogate pair", usageEvent, `"acc-1"`, `"\ud83d\ude00"`, accepted},
		{"a byte that is no UTF-8", usageEvent, `"acc-1"`, "\"\xff\"", RejectInvalidUTF8},
		{"an overlong slash", usageEvent, `"acc-1"`, "\"\xc0\xaf\"", RejectInvalidUTF8},
		{"a surrogate in UTF-8", usageEvent, `"acc-1"`, "\"\xed\xa0\x80\"", RejectInvalidUTF8},
		{"not UTF-8 in a name", usageEvent, firstName, "\"\xff\":1," + firstName, RejectInvalidUTF8},
		{"not JSON comes before not UTF-8", usageEvent, `"acc-1"`, "\"\xff\",", RejectNotJSON},
		{"not UTF-8 comes before a name twice", usageEvent, `"value":5.56`, "\"value\":5.56,\"value\":\"\xff\"", RejectInvalidUTF8},
		{"a name twice comes before a wrong version", usageEvent, `"1.0"`, `"0.3","x":1,"x":1`, RejectDuplicateName},
	}
}

func attributeEdits() []edit {
	long := strings.Repeat("x", 256)
	return []edit{
		{"no specversion", usageEvent, `"specversion":"1.0",`, ``, RejectMissingField},
		{"specversion 1", usageEvent, `"1.0"`, `"1"`, RejectBadSpecVersion},
		{"specversion as a number", usageEvent, `"1.0"`, `1.0`, RejectWrongType},
		{"no id", usageEvent, `"id":"u-1",`, ``, RejectMissingField},
		{"an empty id", usageEvent, `"u-1"`, `""`, RejectEmptyText},
		{"an id of 256 bytes", usageEvent, `"u-1"`, `"` + long + `"`, accepted},
		{"an id of 257 bytes", usageEvent, `"u-1"`, `"` + long + `x"`, RejectTextTooLong},
		{"a source of 257 bytes in 129 letters", usageEvent, `"/hcm"`, `"x` + strings.Repeat("é", 128) + `"`, RejectTextTooLong},
		{"a source of 256 bytes in 128 letters", usageEvent, `"/hcm"`, `"` + strings.Repeat("é", 128) + `"`, accepted},
		{"an id that is a number", usageEvent, `"u-1"`, `1`, RejectWrongType},
		{"a null id", usageEvent, `"u-1"`, `null`, RejectMissingField},
		{"a null id and another", usageEvent, firstName, `"id":null,` + firstName, RejectDuplicateName},
		{"a null specversion", usageEvent, `"1.0"`, `null`, RejectMissingField},
		{"a null source", usageEvent, `"/hcm"`, `null`, RejectMissingField},
		{"a null type", usageEvent, `"usage.recorded"`, `null`, RejectMissingField},
		{"a null subject", usageEvent, `"srv-1"`, `null`, RejectMissingField},
		{"a null time", usageEvent, timeField, `"time":null`, RejectMissingField},
		{"a null dataschema", usageEvent, firstName, `"dataschema":null,` + firstName, accepted},
		{"an escaped NUL in an id", usageEvent, `"u-1"`, `"\u0000"`, RejectControlCharacter},
		{"a tab in a subject", usageEvent, `"srv-1"`, `"a\tb"`, RejectControlCharacter},
		{"DEL in a source", usageEvent, `"/hcm"`, "\"\x7f\"", RejectControlCharacter},
		{"the first C1 control", usageEvent, `"/hcm"`, "\"\u0080\"", RejectControlCharacter},
		{"the last C1 control, escaped", usageEvent, `"/hcm"`, `"\u009f"`, RejectControlCharacter},
		{"a source that is written backwards", usageEvent, `"/hcm"`, "\"\u202e21\"", RejectControlCharacter},
		{"a subject with an isolate, escaped", usageEvent, `"srv-1"`, `"srv\u2066-1"`, RejectControlCharacter},
		{"a dataschema that is written backwards", usageEvent, firstName, `"dataschema":"x\u202dy",` + firstName, RejectControlCharacter},
		{"a parameter that is written backwards", usageEvent, firstName, `"datacontenttype":"a/json;x=\u2069",` + firstName, RejectBadDataContentType},
		{"an extension that is written backwards", usageEvent, firstName, `"a":"\u202b",` + firstName, RejectControlCharacter},
		{"a mark of direction turns nothing", usageEvent, `"/hcm"`, `"\u200f"`, accepted},
		{"a no-break space is none", usageEvent, `"/hcm"`, `"\u00a0"`, accepted},
		{"a line separator is none", usageEvent, `"/hcm"`, `"\u2028"`, accepted},
		{"no subject", usageEvent, `"subject":"srv-1",`, ``, RejectMissingField},
		{"no type", usageEvent, `"type":"usage.recorded",`, ``, RejectMissingField},
		{"a type in capitals", usageEvent, `usage.recorded`, `Usage.Recorded`, RejectUnknownType},
		{"no time (H4: the producer's time is needed)", usageEvent, timeField + `,`, ``, RejectMissingField},
		{"a time in seconds (A9)", usageEvent, timeField, `"time":1790823600`, RejectWrongType},
		{"a time of a message that is 1970 in Kafka", usageEvent, timeField, `"time":"1970-01-01T00:00:00Z"`, RejectTimeOutOfRange},
		{"a sequence as a string", usageEvent, firstName, `"sequence":"12",` + firstName, accepted},
		{"a sequence with leading zeros", usageEvent, firstName, `"sequence":"00000000000000000000012",` + firstName, accepted},
		{"the largest sequence", usageEvent, firstName, `"sequence":9223372036854775807,` + firstName, accepted},
		{"a sequence of 2^63 as a number", usageEvent, firstName, `"sequence":9223372036854775808,` + firstName, RejectBadSequence},
		{"a sequence of 2^63 as a string", usageEvent, firstName, `"sequence":"9223372036854775808",` + firstName, RejectBadSequence},
		{"a negative sequence", usageEvent, firstName, `"sequence":-1,` + firstName, RejectBadSequence},
		{"a sequence of minus zero", usageEvent, firstName, `"sequence":-0,` + firstName, RejectBadSequence},
		{"a sequence with a point", usageEvent, firstName, `"sequence":1.0,` + firstName, RejectBadSequence},
		{"a sequence with an exponent", usageEvent, firstName, `"sequence":1e2,` + firstName, RejectBadSequence},
		{"an empty sequence", usageEvent, firstName, `"sequence":"",` + firstName, RejectBadSequence},
		{"a sequence with a sign", usageEvent, firstName, `"sequence":"+1",` + firstName, RejectBadSequence},
		{"a sequence in other digits", usageEvent, firstName, `"sequence":"١٢",` + firstName, RejectBadSequence},
		{"a sequence that is true", usageEvent, firstName, `"sequence":true,` + firstName, RejectWrongType},
		{"JSON in capitals with a parameter", usageEvent, firstName, `"datacontenttype":"APPLICATION/JSON;charset=utf-8",` + firstName, accepted},
		{"another type's json", usageEvent, firstName, `"datacontenttype":"text/json",` + firstName, accepted},
		{"a type that ends in +json", usageEvent, firstName, `"datacontenttype":"application/vnd.x+json",` + firstName, accepted},
		{"XML", usageEvent, firstName, `"datacontenttype":"application/xml",` + firstName, RejectBadDataContentType},
		{"a type that only begins with json", usageEvent, firstName, `"datacontenttype":"application/jsonp",` + firstName, RejectBadDataContentType},
		{"a type that ends in json without a plus", usageEvent, firstName, `"datacontenttype":"application/xjson",` + firstName, RejectBadDataContentType},
		{"json alone", usageEvent, firstName, `"datacontenttype":"json",` + firstName, RejectBadDataContentType},
		{"an empty datacontenttype", usageEvent, firstName, `"datacontenttype":"",` + firstName, RejectBadDataContentType},
		{"a control character in a parameter", usageEvent, firstName, `"datacontenttype":"a/json;x=\u0001",` + firstName, RejectBadDataContentType},
		{"a dataschema", usageEvent, firstName, `"dataschema":"https://x/y",` + firstName, accepted},
		{"an empty dataschema", usageEvent, firstName, `"dataschema":"",` + firstName, RejectEmptyText},
		{"extensions of every kind", usageEvent, firstName, `"a":"","b9":true,"c":false,"d":-2147483648,"e":2147483647,"f":-0,` + firstName, accepted},
		{"an extension longer than any name", usageEvent, firstName, `"trace":"` + long + long + `",` + firstName, accepted},
		{"an extension that is null", usageEvent, firstName, `"a":null,` + firstName, accepted},
		{"an extension in capitals that is null", usageEvent, firstName, `"A":null,` + firstName, RejectBadAttributeName},
		{"an extension that is an object", usageEvent, firstName, `"a":{},` + firstName, RejectWrongType},
		{"an extension that is a list", usageEvent, firstName, `"a":[],` + firstName, RejectWrongType},
		{"an extension above 32 bits", usageEvent, firstName, `"a":2147483648,` + firstName, RejectBadAttributeNumber},
		{"an extension with a point", usageEvent, firstName, `"a":1.5,` + firstName, RejectBadAttributeNumber},
		{"an extension with an exponent", usageEvent, firstName, `"a":1e400000000000,` + firstName, RejectBadAttributeNumber},
		{"an extension with a control character", usageEvent, firstName, `"a":"\u001b",` + firstName, RejectControlCharacter},
		{"an extension in capitals", usageEvent, firstName, `"A":1,` + firstName, RejectBadAttributeName},
		{"an extension with an underscore", usageEvent, firstName, `"a_b":1,` + firstName, RejectBadAttributeName},
		{"an extension without a name", usageEvent, firstName, `"":1,` + firstName, RejectBadAttributeName},
		{"a name comes before a value, whatever their order", usageEvent, firstName, `"a":null,"A":1,` + firstName, RejectBadAttributeName},
	}
}

func dataEdits() []edit {
	unit := func(fields string) string { return `{"item":"vcpu","unit":"vCPU","unit_price":"55000",` + fields + `}` }
	const first = `{"item":"vcpu","unit":"vCPU","unit_price":"55000","quantity":2}`
	items := func(n int) string {
		return strings.Repeat("{},", n-1) + "{}"
	}
	named := make([]string, 100)
	for i := range named {
		named[i] = strings.Replace(first, "vcpu", "vcpu"+strings.Repeat("x", i), 1)
	}
	return []edit{
		{"no data", usageEvent, `,"data":{"account_id":"acc-1","item":"traffic","value":5.56}`, ``, RejectMissingField},
		{"data in a string", usageEvent, `{"account_id":"acc-1","item":"traffic","value":5.56}`, `"{}"`, RejectWrongType},
		{"data that is null", usageEvent, `{"account_id":"acc-1","item":"traffic","value":5.56}`, `null`, RejectNull},
		{"an unknown field in data", usageEvent, `"value":5.56`, `"value":5.56,"note":"x"`, RejectUnknownField},
		{"a field of another type in data", usageEvent, `"value":5.56`, `"value":5.56,"mode":"prepaid"`, RejectUnknownField},
		{"a field of an item in data", usageEvent, `"value":5.56`, `"value":5.56,"unit":"GB"`, RejectUnknownField},
		{"an unknown field comes before a missing one", usageEvent, `"value":5.56`, `"valu":5.56`, RejectUnknownField},
		{"a misspelt discount", createdEvent, `"quantity":2`, `"quantity":2,"discount":10`, RejectUnknownField},
		{"a field of data in an item", createdEvent, `"quantity":2`, `"quantity":2,"mode":"prepaid"`, RejectUnknownField},
		{"an unknown field in a coupon", createdEvent, `"code":"C"`, `"code":"C","unit":"d"`, RejectUnknownField},
		{"a name in capitals", createdEvent, `"product"`, `"Product"`, RejectUnknownField},
		{"no account", usageEvent, `"account_id":"acc-1",`, ``, RejectMissingField},
		{"no item of a usage", usageEvent, `"item":"traffic",`, ``, RejectMissingField},
		{"no value of a usage", usageEvent, `,"value":5.56`, ``, RejectMissingField},
		{"a usage of zero (D6: zero is a value)", usageEvent, `5.56`, `0`, accepted},
		{"a negative usage", usageEvent, `5.56`, `-5.56`, RejectNegativeNumber},
		{"a usage of a million million million (E2)", usageEvent, `5.56`, `99999999999999999999.999999999`, accepted},
		{"an account's subject that is not its id", accountEvent, `"subject":"acc-1"`, `"subject":"acc-2"`, RejectSubjectMismatch},
		{"a mode that there is not", accountEvent, `"postpaid"`, `"free"`, RejectUnknownValue},
		{"no mode of a mode change", accountEvent, `,"mode":"postpaid"`, ``, RejectMissingField},
		{"a mode in capitals", accountEvent, `"postpaid"`, `"Postpaid"`, RejectUnknownValue},
		{"an empty product", createdEvent, `"vServer"`, `""`, RejectEmptyText},
		{"prepaid without an end", createdEvent, `"product"`, `"mode":"prepaid","product"`, RejectMissingField},
		{"prepaid with an end", createdEvent, `"product"`, `"mode":"prepaid","expires_at":"2026-10-31T10:00:00+07:00","product"`, accepted},
		{"postpaid without an end", createdEvent, `"product"`, `"mode":"postpaid","product"`, accepted},
		{"postpaid with an end that is not later", createdEvent, `"product"`, `"mode":"postpaid","expires_at":"2026-10-01T10:00:00+07:00","product"`, RejectExpiresNotLater},
		{"an end later by less than a millisecond (A9)", createdEvent, `"product"`, `"expires_at":"2026-10-01T10:00:00.0009999+07:00","product"`, RejectExpiresNotLater},
		{"an end later by a millisecond", createdEvent, `"product"`, `"expires_at":"2026-10-01T10:00:00.001+07:00","product"`, accepted},
		{"an end in 2200", createdEvent, `"product"`, `"expires_at":"2200-01-01T00:00:00Z","product"`, RejectTimeOutOfRange},
		{"auto_renew as a text", createdEvent, `"product"`, `"auto_renew":"true","product"`, RejectWrongType},
		{"no items", createdEvent, first + `,`, ``, accepted},
		{"items that are an object", createdEvent, `"items":[`, `"items":{"a":[`, RejectNotJSON},
		{"an item that is a text", createdEvent, first, `"vcpu"`, RejectWrongType},
		{"an item that is null", createdEvent, first, `null`, RejectNull},
		{"101 items", createdEvent, first + `,`, items(100) + `,`, RejectTooManyItems},
		{"100 items", createdEvent, first, strings.Join(named[1:], ","), accepted},
		{"101 items that are right", createdEvent, first, strings.Join(named, ","), RejectTooManyItems},
		{"two items of one name (D5)", createdEvent, `"traffic"`, `"vcpu"`, RejectDuplicateItem},
		{"two items of one name once unescaped", createdEvent, `"traffic"`, `"vcp\u0075"`, RejectDuplicateItem},
		{"two items whose names differ in case", createdEvent, `"traffic"`, `"VCPU"`, accepted},
		{"an item without a unit", createdEvent, `"unit":"vCPU",`, ``, RejectMissingField},
		{"an item without a price", createdEvent, `"unit_price":"55000",`, ``, RejectMissingField},
		{"neither quantity nor meter", createdEvent, first, unit(`"per":"1h"`), RejectQuantityOrMeter},
		{"both quantity and meter", createdEvent, first, unit(`"quantity":1,"meter":"sum"`), RejectQuantityOrMeter},
		{"a null quantity beside a meter", createdEvent, first, unit(`"quantity":null,"meter":"sum"`), RejectQuantityOrMeter},
		{"a null meter", createdEvent, first, unit(`"meter":null`), RejectNull},
		{"an empty meter", createdEvent, first, unit(`"meter":""`), RejectUnknownValue},
		{"a meter that there is not", createdEvent, first, unit(`"meter":"median"`), RejectUnknownValue},
		{"a quantity of zero", createdEvent, first, unit(`"quantity":0`), accepted},
		{"per day", createdEvent, first, unit(`"quantity":1,"per":"1d"`), accepted},
		{"per month", createdEvent, first, unit(`"quantity":1,"per":"1m"`), RejectUnknownValue},
		{"per use with a quantity", createdEvent, first, unit(`"quantity":1,"per":"use"`), RejectPerUseWithoutMeter},
		{"a metered item per hour", createdEvent, first, unit(`"meter":"time_weighted","per":"1h"`), accepted},
		{"an allowance of a fixed quantity", createdEvent, first, unit(`"quantity":1,"free_quantity":0`), RejectFreeWithoutMeter},
		{"an allowance of a meter", createdEvent, first, unit(`"meter":"sum","free_quantity":"10.5"`), accepted},
		{"a discount of 100 %", createdEvent, first, unit(`"quantity":1,"discount_percent":"100.0000000"`), accepted},
		{"a discount a little above 100 %", createdEvent, first, unit(`"quantity":1,"discount_percent":100.0001`), RejectPercentTooLarge},
		{"a tax of 101 % as a string", createdEvent, first, unit(`"quantity":1,"tax_percent":"101"`), RejectPercentTooLarge},
		{"a tax with four decimals", createdEvent, first, unit(`"quantity":1,"tax_percent":8.0001`), accepted},
		{"a tax with five decimals", createdEvent, first, unit(`"quantity":1,"tax_percent":8.00001`), RejectTooManyDecimals},
		{"a price of 10^15 dong (E1)", createdEvent, `"55000"`, `"1000000000000000"`, accepted},
		{"a price above 99 (E3)", createdEvent, `"55000"`, `100`, accepted},
		{"a price that is true", createdEvent, `"55000"`, `true`, RejectWrongType},
		{"a coupon of nothing", createdEvent, `20000`, `0`, RejectCouponNotPositive},
		{"a coupon of nothing in a string", createdEvent, `20000`, `"0e9"`, RejectCouponNotPositive},
		{"a coupon of half a dong", createdEvent, `20000`, `"0.5"`, RejectCouponNotWhole},
		{"a coupon of whole dong in decimals", createdEvent, `20000`, `20000.000`, accepted},
		{"a coupon without a code", createdEvent, `"code":"C",`, ``, RejectMissingField},
		{"a coupon that is a text", createdEvent, `{"code":"C","value":20000}`, `"C"`, RejectWrongType},
		{"a coupon that is null", createdEvent, `{"code":"C","value":20000}`, `null`, RejectNull},
	}
}

func TestEventsAreReadStrictly(t *testing.T) {
	for _, edits := range [][]edit{jsonEdits(), attributeEdits(), base64Edits(), dataEdits()} {
		for _, c := range edits {
			t.Run(c.name, func(t *testing.T) {
				if _, got := reasonOf(t, structured(c.value(t))); got != c.reason {
					_, err := Parser{Currency: vnd()}.Parse(structured(c.value(t)))
					t.Errorf("%v, want %q", err, c.reason)
				}
			})
		}
	}
}

func TestWhatAnEventSaysIsKept(t *testing.T) {
	e, reason := reasonOf(t, structured(createdEvent))
	if reason != "" {
		t.Fatal(reason)
	}
	if e.ID != "e-1" || e.Source != "/hcm" || e.Type != schemas.ResourceCreated || e.ResourceID != "srv-1" || e.AccountID != "acc-1" {
		t.Errorf("identity and place: %+v", e)
	}
	if want := time.Date(2026, 10, 1, 3, 0, 0, 0, time.UTC); !e.Time.Equal(want) || e.Time.Location() != time.UTC {
		t.Errorf("time %v, want %v", e.Time, want)
	}
	if e.ResourceName != "web" || e.Product != "vServer" || e.Service != "instance" || e.Mode != "" || e.AutoRenew {
		t.Errorf("what it is: %+v", e)
	}
	if len(e.Items) != 2 || e.Items[0].Name != "vcpu" || e.Items[0].Unit != "vCPU" || e.Items[1].Meter != schemas.Sum {
		t.Fatalf("items %+v", e.Items)
	}
	if i := e.Items[0]; i.Per != schemas.Per30d || !i.DiscountPercent.IsZero() || !i.TaxPercent.IsZero() || schemas.FormatDecimal(i.UnitPrice) != "55000" {
		t.Errorf("the defaults of %+v", i)
	}
	if e.Items[1].Per != schemas.PerUse || schemas.FormatDecimal(e.Items[1].UnitPrice) != "800.5" {
		t.Errorf("the second item %+v", e.Items[1])
	}
	if e.Coupon == nil || e.Coupon.Code != "C" || schemas.FormatDecimal(e.Coupon.Value) != "20000" {
		t.Errorf("coupon %+v", e.Coupon)
	}
	if a, _ := reasonOf(t, structured(accountEvent)); a.ResourceID != "" || a.AccountID != "acc-1" || a.Mode != schemas.Postpaid {
		t.Errorf("an account's event %+v", a)
	}
}

func TestADetailNamesTheFieldAndItsValue(t *testing.T) {
	for _, c := range []struct{ edit, detail string }{
		{`"unit_price":"8,5"`, `data.items[1].unit_price: "8,5" is not a number as JSON writes it`},
		{`"unit_price":-1`, `data.items[1].unit_price: -1 has a minus sign`},
		{`"unit_price":{}`, `data.items[1].unit_price: an object is not a number`},
		{`"price":{}`, `data.items[1].price: there is no such field`},
	} {
		value := strings.Replace(createdEvent, `"unit_price":800.5`, c.edit, 1)
		_, err := Parser{Currency: vnd()}.Parse(structured(value))
		if r, ok := err.(*schemas.Rejection); !ok || r.Detail != c.detail { //nolint:errorlint // the type itself is promised
			t.Errorf("%v, want %s", err, c.detail)
		}
	}
}

func TestACouponIsInWholeMinorUnitsOfTheCurrency(t *testing.T) {
	value := strings.Replace(createdEvent, `20000`, `"12.34"`, 1)
	if _, err := (Parser{Currency: schemas.Currency{Code: "USD", Digits: 2}}).Parse(structured(value)); err != nil {
		t.Errorf("12.34 USD: %v", err)
	}
	value = strings.Replace(createdEvent, `20000`, `"12.345"`, 1)
	if _, err := (Parser{Currency: schemas.Currency{Code: "USD", Digits: 2}}).Parse(structured(value)); err == nil {
		t.Error("12.345 USD was accepted")
	}
}
