package telemetry

import (
	"math"
	"os"
	"runtime/debug"
)

// LimitIngestMemory bounds what a process that only ingests takes, by the bytes of
// all its batches: without, Go lets garbage grow until it is as much as the batches.
// GOMEMLIMIT stands where it is set.
func LimitIngestMemory(batches int64) {
	const beside = 64 << 20
	limitMemory(2*batches + beside)
}

// LimitSealMemory lets a process that only seals collect its garbage half as often,
// but never have more than 440 MiB of it with all that lives: that took 8 % of the
// time off a seal of 10 million events. GOGC and GOMEMLIMIT stand where they are set.
func LimitSealMemory() {
	limitMemory(440 << 20)
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(200)
	}
}

func limitMemory(bytes int64) {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(bytes)
	}
}
