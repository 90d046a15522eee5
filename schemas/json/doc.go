// Package jsonschemas holds the published JSON Schemas of reckon's events, draft
// 2020-12: event.json for any event, one file a type (resource.created.json),
// and common.json for what they share. In bundled/ each is there once more, as one
// file that refers to no other: made from these, for whoever copies a file or has a
// validator that follows no references. They are for the teams that produce
// events; the parser is stricter where a schema cannot say what it must
// (codec.BeyondSchema), and nowhere laxer.
package jsonschemas
