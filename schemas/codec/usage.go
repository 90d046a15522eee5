package codec

import "github.com/reckon-billing/reckon/schemas"

// UsageTopic is the topic of usage events, where no setting names another.
const UsageTopic = "billing.usage"

// The fields of usage, after those of lifecycle events.
const (
	fieldItem = fieldLifecycleEnd + iota
	fieldValue
	fieldUsageEnd
)

// usageFacts are the words of the family whose events say what was used.
func usageFacts() familyFacts {
	return familyFacts{
		topic:  UsageTopic,
		fields: []string{"item", "value"},
		types:  []eventType{{name: schemas.UsageRecorded, family: usageFamily, required: fieldsOf(fieldItem, fieldValue)}},
	}
}

func (c *checker) usage(u *schemas.Usage, raw *rawEvent) {
	f := &raw.data.fields
	u.Item = c.text(fieldItem, f[fieldItem])
	u.Value = c.number(fieldValue, f[fieldValue], true, maxDecimals)
}

func (p *FastParser) usage(u *schemas.Usage, name []byte) (f field, ok bool) {
	switch string(name) {
	case "item":
		f = fieldItem
		u.Item, ok = p.shared()
	case "value":
		f = fieldValue
		u.Value, ok = p.number(maxDecimals)
	default:
		f = noField
	}
	return f, ok
}

func appendUsage(b []byte, u *schemas.Usage) []byte {
	b = appendText(append(b, `,"item":`...), u.Item)
	return appendNumber(append(b, `,"value":`...), u.Value)
}
