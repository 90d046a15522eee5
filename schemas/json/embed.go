package jsonschemas

import "embed"

// BaseURL is what the schemas' $id begin with; the rest is the file's name.
const BaseURL = "https://github.com/reckon-billing/reckon/schemas/json/"

// Files are the schemas, and in bundled/ each as one file that refers to no other.
//
//go:embed *.json bundled/*.json
var Files embed.FS
