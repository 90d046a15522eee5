package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine is what the figures were taken on.
type machine struct {
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
	CPU    string `json:"cpu"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	// Load is the load average before the first benchmark: others' work.
	Load string `json:"load_before"`
}

func thisMachine() machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH}
	m.CPU = field("/proc/cpuinfo", "model name")
	m.Memory = field("/proc/meminfo", "MemTotal")
	m.Kernel = firstWords("/proc/sys/kernel/osrelease", 1)
	m.Load = firstWords("/proc/loadavg", 3)
	return m
}

// String is one line.
func (m machine) String() string {
	return fmt.Sprintf("%d cores of %s, %s of memory, Linux %s, %s; load average before: %s.",
		m.Cores, m.CPU, m.Memory, m.Kernel, m.Go, m.Load)
}

// field is the value of the first line of a file with the name before its colon.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstWords(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	words := strings.Fields(string(text))
	return strings.Join(words[:min(n, len(words))], " ")
}

// memoryBytes is the machine's.
func memoryBytes() int64 {
	var kib int64
	if _, err := fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kib); err != nil {
		return 8 << 30
	}
	return kib << 10
}
