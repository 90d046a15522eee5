package codec

import (
	"fmt"
	"strings"
)

// fastEdits are more ways to write an event than the strict parser's own tests
// have: those at which a reader that takes short cuts could stumble.
func fastEdits() []edit {
	edits := []edit{
		{"data in capitals", usageEvent, `"data"`, `"Data"`, RejectBadAttributeName},
		{"an id in capitals beside the id", usageEvent, firstName, `"ID":"u-2",` + firstName, RejectBadAttributeName},
		{"an account in capitals", usageEvent, `"account_id"`, `"Account_ID"`, RejectUnknownField},
		{"a known name with an escape in it", usageEvent, `"id"`, `"\u0069d"`, accepted},
		{"an extension with an escape in its name", usageEvent, firstName, `"tr\u0061ce":1,` + firstName, accepted},
		{"an id twice once it is unescaped", usageEvent, firstName, `"\u0069d":"u-1",` + firstName, RejectDuplicateName},
		{"an extension twice once it is unescaped", usageEvent, firstName, `"x":1,"\u0078":1,` + firstName, RejectDuplicateName},
		{"data twice once it is unescaped", usageEvent, firstName, `"dat\u0061":{},` + firstName, RejectDuplicateName},
		{"a name with an escaped quote", usageEvent, firstName, `"x\"y":1,` + firstName, RejectBadAttributeName},
		{"an empty name in data", usageEvent, `"value"`, `"":1,"value"`, RejectUnknownField},
		{"an empty object as data", usageEvent, `{"account_id":"acc-1","item":"traffic","value":5.56}`, `{}`, RejectMissingField},
		{"an empty event", usageEvent, usageEvent, `{}`, RejectMissingField},
		{
			"data first and the type last", usageEvent, usageEvent,
			`{"data":{"value":5.56,"item":"traffic","account_id":"acc-1"},` + timeField +
				`,"id":"u-1","source":"/hcm","subject":"srv-1","specversion":"1.0","type":"usage.recorded"}`, accepted,
		},
		{"a created event's data under another type", createdEvent, `resource.created`, `resource.resized`, RejectUnknownField},
		{"seventeen extensions", usageEvent, firstName, manyExtensions(17) + firstName, accepted},
		{"sixteen extensions", usageEvent, firstName, manyExtensions(16) + firstName, accepted},
		{"two of sixteen extensions alike", usageEvent, firstName, manyExtensions(15) + `"x7":1,` + firstName, RejectDuplicateName},
		{"a hundred spaces", usageEvent, `}}`, strings.Repeat(" ", 100) + "}" + strings.Repeat("\n", 100) + "}\t", accepted},
		{"an end too early", usageEvent, `}}`, `}`, RejectNotJSON},
		{"a bracket too many", usageEvent, `}}`, `}}]`, RejectNotJSON},
		{"a NUL behind", usageEvent, `}}`, "}}\x00", RejectNotJSON},
		{"a letter behind", usageEvent, `}}`, "}}x", RejectNotJSON},
		{"the wrong bracket", usageEvent, `}}`, "]}", RejectNotJSON},
		{"a vertical tab for a space", usageEvent, `"data":`, "\v\"data\":", RejectNotJSON},
		{"a form feed for a space", usageEvent, `"data":`, "\"data\":\f", RejectNotJSON},
		{"a no-break space for a space", usageEvent, `"data":`, "\u00a0\"data\":", RejectNotJSON},
		{"no comma", usageEvent, `,"data":`, `"data":`, RejectNotJSON},
		{"two commas", usageEvent, `,"data":`, `,,"data":`, RejectNotJSON},
		{"a comma in front", usageEvent, `{"account_id":`, `{,"account_id":`, RejectNotJSON},
		{"no colon", usageEvent, `"data":`, `"data"`, RejectNotJSON},
		{"two colons", usageEvent, `"data":`, `"data"::`, RejectNotJSON},
		{"a name without quotes", usageEvent, `"data":`, `data:`, RejectNotJSON},
		{"single quotes", usageEvent, `"data":`, `'data':`, RejectNotJSON},
		{"a text that does not end", usageEvent, `"value":5.56}}`, `"value":"5.56}}`, RejectNotJSON},
		{"a text that ends in a backslash", usageEvent, `"value":5.56}}`, `"value":"5.56\`, RejectNotJSON},
		{"a name that does not end", usageEvent, `"value":5.56}}`, `"value`, RejectNotJSON},
		{"a name without a value", usageEvent, `"value":5.56}}`, `"value"`, RejectNotJSON},
		{"a name and a colon without a value", usageEvent, `"value":5.56}}`, `"value":`, RejectNotJSON},
		{"an item too many in the list's commas", createdEvent, `}],"coupon"`, `},],"coupon"`, RejectNotJSON},
		{"items without a comma", createdEvent, `},{"item":"traffic"`, `}{"item":"traffic"`, RejectNotJSON},
		{"an empty list of items", createdEvent, createdEvent[strings.Index(createdEvent, `[`) : strings.Index(createdEvent, `]`)+1], `[]`, RejectNoItems},
		{"an empty list of items with a space", createdEvent, createdEvent[strings.Index(createdEvent, `[`) : strings.Index(createdEvent, `]`)+1], `[ ]`, RejectNoItems},
		{"an item in a list of its own", createdEvent, `"items":[`, `"items":[[],`, RejectWrongType},
		{"an empty item", createdEvent, `"items":[`, `"items":[{},`, RejectMissingField},
		{"an empty coupon", createdEvent, `{"code":"C","value":20000}`, `{}`, RejectMissingField},
		{"a coupon with a field of data", createdEvent, `"code":"C"`, `"code":"C","account_id":"x"`, RejectUnknownField},
		{"a coupon below zero", createdEvent, `20000`, `-20000`, RejectNegativeNumber},
		{"a coupon with a space before its fields", createdEvent, `{"code":`, `{ "code" : `, accepted},
		{"renews", createdEvent, `"product"`, `"auto_renew":true ,"product"`, accepted},
		{"does not renew", createdEvent, `"product"`, `"auto_renew":false,"product"`, accepted},
		{"true and more", createdEvent, `"product"`, `"auto_renew":trueish,"product"`, RejectNotJSON},
		{"true in capitals", createdEvent, `"product"`, `"auto_renew":True,"product"`, RejectNotJSON},
		{"half of true", createdEvent, `"product"`, `"auto_renew":tru,"product"`, RejectNotJSON},
		{"auto_renew as a number", createdEvent, `"product"`, `"auto_renew":1,"product"`, RejectWrongType},
		{"an extension of a minus sign", usageEvent, firstName, `"x":-,` + firstName, RejectNotJSON},
		{"an extension of two zeros", usageEvent, firstName, `"x":00,` + firstName, RejectNotJSON},
		{"an extension with a zero in front", usageEvent, firstName, `"x":-01,` + firstName, RejectNotJSON},
		{"an extension of two signs", usageEvent, firstName, `"x":--1,` + firstName, RejectNotJSON},
		{"an extension of nothing", usageEvent, firstName, `"x":,` + firstName, RejectNotJSON},
		{"the largest extension", usageEvent, firstName, `"x":2147483647,` + firstName, accepted},
		{"the smallest extension", usageEvent, firstName, `"x":-2147483648,` + firstName, accepted},
		{"an extension below 32 bits", usageEvent, firstName, `"x":-2147483649,` + firstName, RejectBadAttributeNumber},
		{"an extension that wraps to a small one", usageEvent, firstName, `"x":18446744073709551617,` + firstName, RejectBadAttributeNumber},
		{"an extension of a big number in a text", usageEvent, firstName, `"x":"99999999999",` + firstName, accepted},
		{"a sequence of two zeros", usageEvent, firstName, `"sequence":00,` + firstName, RejectNotJSON},
		{"a sequence of two zeros in a text", usageEvent, firstName, `"sequence":"00",` + firstName, accepted},
		{"a sequence of nanoseconds", usageEvent, firstName, `"sequence": 1790823600123456789,` + firstName, accepted},
		{"a sequence of twenty digits", usageEvent, firstName, `"sequence":"18446744073709551617",` + firstName, RejectBadSequence},
		{"a null sequence", usageEvent, firstName, `"sequence":null,` + firstName, accepted},
		{"a null value", usageEvent, `5.56`, `null`, RejectNull},
		{"a value that is a list", usageEvent, `5.56`, `[5.56]`, RejectWrongType},
		{"a value with a space in its text", usageEvent, `5.56`, `" 5.56"`, RejectNotANumber},
		{"a value with an escape in its text", usageEvent, `5.56`, `"5.5\u0036"`, accepted},
		{"a type with an escape", usageEvent, `usage.recorded`, `usage\u002erecorded`, accepted},
		{"a type with something behind", usageEvent, `usage.recorded`, `usage.recorded.v1`, RejectUnknownType},
		{"a time with an escape", usageEvent, `+07:00`, `\u002b07:00`, accepted},
		{"a time with twelve decimals", usageEvent, `+07:00`, `.123456789012+07:00`, accepted},
		{"a specversion with an escape", usageEvent, `"1.0"`, `"1\u002e0"`, accepted},
		{"a text in bytes of each width", usageEvent, `"acc-1"`, `"a é € 😀 \u00e9 \u20ac \ud83d\ude00 \" \\ \/"`, accepted},
		{"256 bytes in escapes", usageEvent, `"acc-1"`, `"` + strings.Repeat(`\u00e9`, 128) + `"`, accepted},
		{"258 bytes in escapes", usageEvent, `"acc-1"`, `"` + strings.Repeat(`\u00e9`, 129) + `"`, RejectTextTooLong},
		{"the character for what is no character", usageEvent, `"acc-1"`, "\"\ufffd\\ufffd\"", accepted},
		{"an escape that there is not", usageEvent, `"acc-1"`, `"\x41"`, RejectNotJSON},
		{"an escape in capitals", usageEvent, `"acc-1"`, `"\U0041"`, RejectNotJSON},
		{"hexadecimal digits in capitals", usageEvent, `"acc-1"`, `"\u00E9\uD83D\uDE00"`, accepted},
		{"three hexadecimal digits", usageEvent, `"acc-1"`, `"\u00e"`, RejectNotJSON},
		{"a letter that is no hexadecimal digit", usageEvent, `"acc-1"`, `"\u00eg"`, RejectNotJSON},
		{"half a pair and a character", usageEvent, `"acc-1"`, `"\ud83dx"`, RejectInvalidUTF8},
		{"half a pair and another escape", usageEvent, `"acc-1"`, `"\ud83d\u0041"`, RejectInvalidUTF8},
		{"half a pair and the other half without its backslash", usageEvent, `"acc-1"`, `"\ud83dxude00"`, RejectInvalidUTF8},
		{"two first halves", usageEvent, `"acc-1"`, `"\ud83d\ud83d\ude00"`, RejectInvalidUTF8},
		{"half a pair at the end", usageEvent, `"value":5.56}}`, `"value":"\ud83d`, RejectNotJSON},
		{"a character beyond Unicode", usageEvent, `"acc-1"`, "\"\xf4\x90\x80\x80\"", RejectInvalidUTF8},
		{"a byte of UTF-8 too few", usageEvent, `"acc-1"`, "\"\xe2\x82\"", RejectInvalidUTF8},
		{"a dataschema with a quote in it", usageEvent, firstName, `"dataschema":"https://x/\"y",` + firstName, accepted},
		{"a dataschema with DEL in it", usageEvent, firstName, "\"dataschema\":\"x\x7f\"," + firstName, RejectControlCharacter},
		{"a datacontenttype of two types", usageEvent, firstName, `"datacontenttype":"application/json, text/json",` + firstName, RejectBadDataContentType},
		{"a null datacontenttype", usageEvent, firstName, `"datacontenttype":null,` + firstName, accepted},
	}
	for _, c := range []struct{ text, reason string }{
		{"\x00", RejectNotJSON},
		{"\x1f", RejectNotJSON},
		{"\t", RejectNotJSON},
		{"\x7f", RejectControlCharacter},
		{"\u0080", RejectControlCharacter},
		{"\u009f", RejectControlCharacter},
		{"\u00a0", accepted},
		{`\b`, RejectControlCharacter},
		{`\f`, RejectControlCharacter},
		{`\n`, RejectControlCharacter},
		{`\r`, RejectControlCharacter},
		{`\t`, RejectControlCharacter},
		{`\u0000`, RejectControlCharacter},
		{`\u001F`, RejectControlCharacter},
		{`\u007f`, RejectControlCharacter},
		{`\u0080`, RejectControlCharacter},
		{`\u009F`, RejectControlCharacter},
		{`\u00a0`, accepted},
		{"\xff", RejectInvalidUTF8},
		{`\ud800`, RejectInvalidUTF8},
	} {
		// In places of every remainder by eight, as the reader goes by eights.
		for i := range 9 {
			text := strings.Repeat("x", i) + c.text + "yy"
			edits = append(
				edits,
				edit{fmt.Sprintf("%q in an account", text), usageEvent, `"acc-1"`, `"` + text + `"`, c.reason},
				edit{fmt.Sprintf("%q in an extension", text), usageEvent, firstName, `"x":"` + text + `",` + firstName, c.reason},
				edit{fmt.Sprintf("%q in an item", text), createdEvent, `"vCPU"`, `"` + text + `"`, c.reason},
			)
		}
	}
	return edits
}

// manyExtensions are members x0, x1, … of an event.
func manyExtensions(n int) (members string) {
	for i := range n {
		members += fmt.Sprintf(`"x%d":%d,`, i, i)
	}
	return members
}
