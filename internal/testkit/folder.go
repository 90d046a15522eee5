package testkit

import (
	"errors"
	"fmt"
	"os"
)

// InFolder hands over a fresh folder, which is gone afterwards: a TestMain has no
// TempDir.
func InFolder(name string, use func(dir string) error) (err error) {
	dir, err := os.MkdirTemp("", name+"-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return use(dir)
}
