{{- /* What reckon computes of an event, in SQL. */ -}}
{{define "identity" -}}
toFixedString(substring(SHA256(concat(
        reinterpretAsFixedString(byteSwap(toUInt32(length(source)))), source, id)), 1, 16), 16)
{{- end}}
{{define "head" -}}
reinterpretAsFixedString(byteSwap(toUInt32(length(type)))), type,
        reinterpretAsFixedString(byteSwap(toUInt32(length(resource_id)))), resource_id,
        reinterpretAsFixedString(byteSwap(toUnixTimestamp64Milli(time))),
        reinterpretAsFixedString(byteSwap(toInt64(sequence)))
{{- end}}
{{define "content" -}}
toFixedString(substring(SHA256(concat(
        {{template "head"}}, data)), 1, 16), 16)
{{- end}}
{{define "usage_content" -}}
toFixedString(substring(SHA256(concat(
        {{template "head"}},
        '{"account_id":"', account_id, '","item":"', item, '","value":"', toString(value), '"}')), 1, 16), 16)
{{- end}}
