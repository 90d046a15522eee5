package jsonschemas

import "embed"

// BaseURL is what the schemas' $id begin with; the rest is the file's name.
const BaseURL = "https://github.com/reckon-billing/reckon/schemas/json/"

// Files are the schemas.
//
//go:embed *.json
var Files embed.FS
