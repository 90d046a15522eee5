package telemetry

import (
	"fmt"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// Build says which program this is.
type Build struct {
	// Version is that of the module, with the instant and the beginning of the commit
	// where it is no release: unknown in a program that was built without its version
	// control. Commit is the commit, empty likewise. Go is the version of the compiler.
	Version, Commit, Go string
}

// ThisBuild is that of the running program.
func ThisBuild() Build {
	b := Build{Version: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	return b
}

// String is as in "v1.2.0 (commit 50f04a4…, go1.26.0)".
func (b Build) String() string {
	if b.Commit == "" {
		return fmt.Sprintf("%s (%s)", b.Version, b.Go)
	}
	return fmt.Sprintf("%s (commit %s, %s)", b.Version, b.Commit, b.Go)
}

// buildInfo is 1, with the build in its labels.
func buildInfo(b Build) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "reckon_build_info", Help: "Always 1: which program this is stands in the labels.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "go": b.Go},
	})
	g.Set(1)
	return g
}
