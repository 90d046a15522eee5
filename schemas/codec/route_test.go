package codec

import "testing"

func TestAccountAndTypeAreReadAsFarAsTheJSONGoes(t *testing.T) {
	for _, c := range []struct{ name, value, account, kind string }{
		{"a valid event", usageEvent, "acc-1", "usage.recorded"},
		{"an event cut after its account", `{"type":"usage.recorded","data":{"account_id":"acc-1","it`, "acc-1", "usage.recorded"},
		{"an event cut within its account", `{"type":"usage.recorded","data":{"account_id":"acc-`, "", "usage.recorded"},
		{"an unknown type, data first", `{"data":{"x":[{}],"account_id":"a"},"type":"x"}`, "a", "x"},
		{"an account in the wrong place", `{"account_id":"a","data":{"items":[{"account_id":"b"}]}}`, "", ""},
		{"an account that is a number", `{"data":{"account_id":7}}`, "", ""},
		{"an empty account", `{"data":{"account_id":""},"type":""}`, "", ""},
		{"an escaped account", `{"d\u0061ta":{"account_id":"\u0061"}}`, "a", ""},
		{"repeated keys: the first counts", `{"type":"a","type":"b","data":{"account_id":"1","account_id":"2"}}`, "1", "a"},
		{"not UTF-8 elsewhere", "{\"id\":\"\xff\",\"type\":\"a\",\"data\":{\"account_id\":\"1\"}}", "1", "a"},
		{"half a surrogate pair elsewhere", `{"id":"\ud800","type":"a","data":{"account_id":"1"}}`, "1", "a"},
		{"data in base64", `{"data_base64":"eyJhY2NvdW50X2lkIjoiYSJ9","type":"x"}`, "a", "x"},
		{"data in base64 that is cut", `{"data_base64":"eyJhY2NvdW50X2lkIjoiYSIsIn`, "", ""},
		{"data in base64 of which the JSON is cut", `{"data_base64":"eyJhY2NvdW50X2lkIjoiYSIs"}`, "a", ""},
		{"data before data_base64, whatever comes first", `{"data_base64":"eyJhY2NvdW50X2lkIjoiYSJ9","data":{"account_id":"b"}}`, "b", ""},
		{"a null data_base64", `{"data_base64":null}`, "", ""},
		{"data_base64 that is no base64", `{"data_base64":"?"}`, "", ""},
		{"data that is a list", `{"data":["account_id","a"]}`, "", ""},
		{"something wrong before it", `{"id":01,"type":"a","data":{"account_id":"a"}}`, "", ""},
		{"a list", `[{"type":"a"}]`, "", ""},
		{"no JSON", `type=usage.recorded`, "", ""},
		{"nothing", ``, "", ""},
	} {
		account, found := AccountOf([]byte(c.value))
		if account != c.account || found != (c.account != "") {
			t.Errorf("%s: account %q %v, want %q", c.name, account, found, c.account)
		}
		kind, found := TypeOf([]byte(c.value))
		if string(kind) != c.kind || found != (c.kind != "") {
			t.Errorf("%s: type %q %v, want %q", c.name, kind, found, c.kind)
		}
	}
}
