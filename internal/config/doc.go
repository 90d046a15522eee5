// Package config holds the settings of every command: defaults, overlaid by an
// optional YAML file, overlaid by RECKON_ environment variables.
//
// It owns what a setting is called, what it may hold and what a wrong one is
// told. Everything is validated in Load, before anything starts, so that no
// other package checks a setting again; each refusal names the setting by its
// path in the file and by its variable. It knows no other room and starts
// nothing.
package config
