package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// EngineDirSetting is the environment variable that names the folder of the
// ClickHouse library.
const EngineDirSetting = "RECKON_ENGINE_DIR"

// ErrNoLibrary says that the ClickHouse library is not where it is looked for.
var ErrNoLibrary = errors.New("the embedded ClickHouse is not there")

// DefaultEngineDir is the folder that `make engine` fills: the one that
// RECKON_ENGINE_DIR names, else reckon/engine in the user's cache folder.
func DefaultEngineDir(getenv func(string) string) string {
	if dir := getenv(EngineDirSetting); dir != "" {
		return dir
	}
	cache := getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(getenv("HOME"), ".cache")
	}
	return filepath.Join(cache, "reckon", "engine")
}

// FindLibrary returns the path of libchdb.so in a folder that `make engine`
// filled. The error wraps [ErrNoLibrary] and says what to run.
func FindLibrary(engineDir string) (string, error) {
	path := filepath.Join(engineDir, "node_modules", "@chdb", "lib-linux-x64-gnu", "libchdb.so")
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return "", fmt.Errorf("%w (%w): run `make engine`, or set %s to the folder that it filled",
			ErrNoLibrary, err, EngineDirSetting)
	}
	return filepath.Abs(path)
}
