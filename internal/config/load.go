package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Load reads the settings: defaults, then the YAML file (none when path is
// empty), then the variables of environ (as os.Environ gives them). A null in
// the file or an empty variable is as good as none.
//
// The result depends on the file, on the files that password_file and tls
// name, and on environ only. The error joins one sentence for each bad
// setting, all of them, naming it by path and variable.
func Load(path string, environ []string) (Config, error) {
	var fromFile map[string]string
	var problems []error
	if path != "" {
		var wrong []error
		fromFile, wrong = readFile(path)
		for _, err := range wrong {
			problems = append(problems, fmt.Errorf("settings file %s: %w", path, err))
		}
	}
	environment := toMap(environ)
	problems = append(problems, unknownVariables(environment)...)
	given := map[string]string{}
	for _, s := range Settings() {
		if v := environment[s.Env]; v != "" {
			given[s.Env] = v
		} else if v := fromFile[s.Env]; v != "" {
			given[s.Env] = v
		}
	}
	c := Config{EngineDir: engineDir(environment)}
	problems = append(problems, c.set(given)...)
	// What could not be read has its default, which is not refused.
	if err := c.finish(); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return Config{}, errors.Join(problems...)
	}
	return c, nil
}

// set puts the defaults, then what was given, one variable at a time, so that
// a failure belongs to one setting.
func (c *Config) set(given map[string]string) []error {
	if err := env.ParseWithOptions(c, env.Options{Prefix: prefix, Environment: map[string]string{}}); err != nil {
		return []error{fmt.Errorf("defaults of the settings: %w", err)}
	}
	var problems []error
	for _, l := range leaves(c) {
		value, ok := given[l.Env]
		if !ok {
			continue
		}
		// Defaults are already in: a tag that no field has leaves them alone.
		opts := env.Options{Prefix: prefix, Environment: map[string]string{l.Env: value}, DefaultValueTagName: "-"}
		if err := env.ParseWithOptions(c, opts); err != nil {
			problems = append(problems, fault(l.Path, l.Env, "%q is not %s", value, wants(l.field.Type())))
		}
	}
	return problems
}

// engineDir is where `make engine` puts the engine when nobody says otherwise.
func engineDir(environment map[string]string) string {
	if cache := environment["XDG_CACHE_HOME"]; cache != "" {
		return filepath.Join(cache, "reckon", "engine")
	}
	if home := environment["HOME"]; home != "" {
		return filepath.Join(home, ".cache", "reckon", "engine")
	}
	return ""
}

func toMap(environ []string) map[string]string {
	m := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok {
			m[name] = value
		}
	}
	return m
}

// unknownVariables refuses misspelt variables: a setting that silently does
// nothing is found when the month is billed.
func unknownVariables(environment map[string]string) []error {
	var names []string
	for _, s := range Settings() {
		names = append(names, s.Env)
	}
	var problems []error
	for name, value := range environment {
		if !strings.HasPrefix(name, prefix) || slices.Contains(names, name) || isServiceLink(name, value) {
			continue
		}
		problems = append(problems, fmt.Errorf("%s: there is no such setting: unset it or write %s", name, nearest(name, names)))
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

// isServiceLink tells whether Kubernetes made the variable: it sets
// RECKON_PORT=tcp://... and the like in every pod beside a Service that is
// called reckon or reckon-something.
func isServiceLink(name, value string) bool {
	link := regexp.MustCompile(`_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	return link.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}
