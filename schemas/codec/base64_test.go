package codec

import (
	"encoding/base64"
	"strings"
)

// base64Edits are of events whose data is in base64.
func base64Edits() []edit {
	const data = `{"account_id":"acc-1","item":"traffic","value":5.56}`
	packed := func(name, data, reason string) edit {
		return edit{name, usageEvent, usageData, `"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"`, reason}
	}
	written := func(name, value, reason string) edit {
		return edit{name, usageEvent, usageData, `"data_base64":` + value, reason}
	}
	text := base64.StdEncoding.EncodeToString([]byte(data))
	return []edit{
		packed("data_base64 instead of data", data, accepted),
		packed("data_base64 with one padding sign", data+" ", accepted),
		packed("data_base64 with two padding signs", data+"  ", accepted),
		packed("data_base64 with every kind of space and text", " \n{\"account_id\" :\"M\u00e1y\\u1ee7>>>???\",\"item\":\"traffic\",\"value\":\"5.560\"}\r\n", accepted),
		written("data_base64 with escapes", `"`+strings.Replace(text, "e", `\u0065`, 1)+`"`, accepted),
		{"data_base64 before all else", usageEvent, usageEvent, `{"data_base64":"` + text + `",` + strings.Replace(usageEvent[1:], `,"data":`+data, "", 1), accepted},
		{"a null data_base64 beside data", usageEvent, firstName, `"data_base64":null,` + firstName, accepted},
		{"a null data_base64 after data", usageEvent, usageData, usageData + `,"data_base64":null`, accepted},
		{"a null data_base64 alone", usageEvent, usageData, `"data_base64":null`, RejectMissingField},
		{"data_base64 beside data", usageEvent, usageData, usageData + `,"data_base64":"` + text + `"`, RejectDataTwice},
		{"data_base64 before data", usageEvent, usageData, `"data_base64":"` + text + `",` + usageData, RejectDataTwice},
		{"data_base64 beside null data", usageEvent, usageData, `"data_base64":"` + text + `","data":null`, RejectDataTwice},
		{"data_base64 twice", usageEvent, usageData, `"data_base64":"` + text + `","data_base64":"` + text + `"`, RejectDuplicateName},
		{"data_base64 in capitals", usageEvent, usageData, `"DATA_BASE64":"` + text + `"`, RejectBadAttributeName},
		written("data_base64 that is a number", `5`, RejectWrongType),
		written("data_base64 that is an object", data, RejectWrongType),
		written("base64 without padding", `"`+strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(data+" ")), "=")+`"`, RejectBadDataBase64),
		written("base64 with padding too many", `"`+text+`="`, RejectBadDataBase64),
		written("base64 with a sign of URLs", `"`+strings.Replace(text, text[:1], "_", 1)+`"`, RejectBadDataBase64),
		written("base64 with a line break", `"`+text[:4]+`\n`+text[4:]+`"`, RejectBadDataBase64),
		written("base64 with a return at its end", `"`+text+`\r"`, RejectBadDataBase64),
		written("base64 with a space", `"`+text[:4]+` `+text[4:]+`"`, RejectBadDataBase64),
		written("base64 with bits to spare", `"e31="`, RejectBadDataBase64),
		written("base64 with padding inside", `"e30=`+text+`"`, RejectBadDataBase64),
		packed("nothing in base64", ``, RejectNotJSON),
		packed("two objects in base64", `{} {}`, RejectNotJSON),
		packed("a text in base64", `"x"`, RejectWrongType),
		packed("null in base64", `null`, RejectNull),
		packed("a name twice in base64", `{"item":"a","item":"a"}`, RejectDuplicateName),
		packed("not UTF-8 in base64", "{\"item\":\"\xff\"}", RejectInvalidUTF8),
		packed("a misspelt field in base64", strings.Replace(data, "value", "valeu", 1), RejectUnknownField),
		packed("a control character in base64", strings.Replace(data, "acc-1", `\u0007`, 1), RejectControlCharacter),
		packed("base64 in base64", `{"data_base64":"e30="}`, RejectUnknownField),
		packed("a number of too many decimals in base64", strings.Replace(data, "5.56", "0.1234567891", 1), RejectTooManyDecimals),
	}
}
