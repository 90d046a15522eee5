package embedded

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// User is the name under which everything of ours works in the embedded
// ClickHouse. It may do anything there.
const User = "reckon"

// engineFolder is a ClickHouse folder inside the data folder.
type engineFolder struct {
	tables  string // the engine's own
	config  string // path of the configuration file
	listen  string // path of the statements that start the listeners
	library string
}

// clickHouseFolder is where ClickHouse is in a data folder, and tablesFolder where the
// engine keeps its own there.
func clickHouseFolder(dataDir string) string { return filepath.Join(dataDir, "clickhouse") }
func tablesFolder(dir string) string         { return filepath.Join(dir, "tables") }

// The user default cannot be removed: the engine's own session is default's,
// without a password, and password-less logins over loopback cannot be told
// from it. So default may start listeners and nothing else, and may have one
// session at a time, which is the engine's own from before the first listener
// is open until the end: everybody else is refused.
const usersXML = `<clickhouse>
    <profiles>
        <default/>
        <engine>
            <max_sessions_for_user>1</max_sessions_for_user>
            <constraints><max_sessions_for_user><readonly/></max_sessions_for_user></constraints>
        </engine>
    </profiles>
    <quotas><default/></quotas>
    <users>
        <default>
            <no_password/>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>engine</profile>
            <quota>default</quota>
            <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
        </default>
        <%[1]s>
            <password_sha256_hex>%[2]s</password_sha256_hex>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants>
        </%[1]s>
    </users>
</clickhouse>
`

// The console, which is a terminal here, has a level of its own: trace, unless
// it is said.
const configXML = `<clickhouse>
    <logger><level>error</level><console_log_level>error</console_log_level></logger>
    <users_config>%s</users_config>
    <max_server_memory_usage>%d</max_server_memory_usage>
    <mark_cache_size>%d</mark_cache_size>
</clickhouse>
`

// The second file of statements is standard input, see arguments.
const listenSQL = "SYSTEM START LISTEN TCP;\nSYSTEM START LISTEN HTTP;\n"

// writeEngineFolder writes what the engine reads when it starts.
func writeEngineFolder(dir, library, password string, memoryBytes, markCacheBytes int64) (engineFolder, error) {
	f := engineFolder{
		tables:  tablesFolder(dir),
		config:  filepath.Join(dir, "config.xml"),
		listen:  filepath.Join(dir, "listen.sql"),
		library: library,
	}
	if err := os.MkdirAll(f.tables, 0o700); err != nil {
		return f, fmt.Errorf("make clickhouse folder: %w", err)
	}
	users := filepath.Join(dir, "users.xml")
	hash := sha256.Sum256([]byte(password))
	var escaped strings.Builder
	if err := xml.EscapeText(&escaped, []byte(users)); err != nil {
		return f, fmt.Errorf("write clickhouse settings: %w", err)
	}
	for path, text := range map[string]string{
		users:    fmt.Sprintf(usersXML, User, hex.EncodeToString(hash[:])),
		f.config: fmt.Sprintf(configXML, escaped.String(), memoryBytes, markCacheBytes),
		f.listen: listenSQL,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return f, fmt.Errorf("write clickhouse settings: %w", err)
		}
	}
	return f, nil
}

// arguments are those of [ChildMain]. After the listeners the engine reads
// standard input to its end, which is where it waits for its parent to let go.
func (f engineFolder) arguments(native, http int) []string {
	return []string{
		f.library,
		"--config-file=" + f.config,
		"--path=" + f.tables,
		"--listen_host=127.0.0.1",
		"--tcp_port=" + strconv.Itoa(native),
		"--http_port=" + strconv.Itoa(http),
		"--interactive", // see startProcess
		"--queries-file", f.listen,
		"--queries-file", "/dev/stdin",
	}
}

// loadPassword returns the folder's password, drawn at the first call.
func loadPassword(dataDir string) (string, error) {
	path := filepath.Join(dataDir, "clickhouse.password")
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read clickhouse password: %w", err)
	}
	password := rand.Text()
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write clickhouse password: %w", err)
	}
	return password, nil
}
