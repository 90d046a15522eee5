package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// peakBytes is the most memory that a process ever had resident, or had since
// [resetPeak]. What the system tells of an ended process will not do: it counts
// the memory of the one that started it too.
func peakBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("memory of process %d: %w", pid, err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("memory of process %d: not told", pid)
}

// resetPeak lets the peak of a process begin anew.
func resetPeak(pid int) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("begin the peak of process %d anew: %w", pid, err)
	}
	return nil
}

// ticksPerSecond is what Linux counts CPU time in for its users.
const ticksPerSecond = 100

// cpuOf is the CPU time that a living process has used, in seconds.
func cpuOf(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	fields := afterName(string(text))
	if len(fields) < 13 {
		return 0, fmt.Errorf("CPU time of process %d: not told", pid)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return float64(user+system) / ticksPerSecond, nil
}

// cpuSeconds is the CPU time of a process that ended.
func cpuSeconds(u *syscall.Rusage) float64 {
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
