package testkit

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Descendants are the processes that a process started and those that they did,
// as long as they run.
func Descendants(t testing.TB, pid int) []int {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	children := map[int][]int{}
	for _, folder := range folders {
		child, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			t.Fatal(err)
		}
		if state, parent := stat(child); running(state) {
			children[parent] = append(children[parent], child)
		}
	}
	var all []int
	for next := []int{pid}; len(next) > 0; {
		next = append(next[1:], children[next[0]]...)
		if len(next) > 0 {
			all = append(all, next[0])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Alive tells whether there is such a process. One that ended and that nobody has
// asked for yet is none.
func Alive(pid int) bool {
	state, _ := stat(pid)
	return running(state)
}

func running(state string) bool { return state != "" && state != "Z" }

// stat is the state of a process, one letter or nothing if it is gone, and its
// parent.
func stat(pid int) (state string, parent int) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", 0
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return "", 0
	}
	return fields[0], parent
}
