package embedded

import (
	"strings"
	"testing"
)

// An engine's failure is one sentence, whatever it said besides.
func TestAnEnginesFailureIsOneSentenceWithoutItsStack(t *testing.T) {
	const error62 = "Code: 62. DB::Exception: Syntax error (in file metadata/reckon.sql): failed at position 1 (garbage): garbage"
	long := strings.Repeat("x", 10_000)
	for said, want := range map[string]string{
		"":                              "clickhouse ended: exit status 1",
		"load libchdb.so: no such file": "clickhouse ended: exit status 1: load libchdb.so: no such file",
		error62 + "\n. Expected one of: CREATE. (SYNTAX_ERROR)\nengine ended by itself: \n":                                                                                                "clickhouse ended: exit status 1: " + error62 + " . Expected one of: CREATE. (SYNTAX_ERROR)",
		"starting\n" + error62 + ", Stack trace (when copying this message, always include the lines below):\n\n0. DB::Exception::Exception() @ 0x1\n1. main @ 0x2\n (version 26.7.2.1)\n": "clickhouse ended: exit status 1: " + error62,
		"Code: 76. DB::Exception: Cannot lock file\n" + error62 + " (version 26.7.2.1 (official build))\nmore":                                                                             "clickhouse ended: exit status 1: " + error62,
		"2026.11.30 <Fatal> BaseDaemon: Received signal 11\n2026.11.30 <Fatal> BaseDaemon: 4. /lib/x\n":                                                                                    "clickhouse ended: exit status 1: 2026.11.30 <Fatal> BaseDaemon: Received signal 11",
		long: "clickhouse ended: exit status 1: " + long[:saidBytes] + "…",
	} {
		if got := (&endedError{state: "exit status 1", stderr: said}).Error(); got != want {
			t.Errorf("of %.80q it is\n%q, want\n%q", said, got, want)
		}
	}
	// The two failures that pass are known by all that was said.
	if err := error(&endedError{stderr: "Code: 76. Cannot lock file\n" + error62}); !folderTaken(err) || portTaken(err) {
		t.Error("a folder that is taken is not known as one")
	}
}
