// Package jsonschemas holds the published JSON Schemas of reckon's events, draft
// 2020-12: event.json for any event, one file a type (resource.created.json),
// and common.json for what they share. They are for the teams that produce
// events; the parser of package schemas is stricter where a schema cannot say
// what it must (schemas.BeyondSchema), and nowhere laxer.
package jsonschemas
