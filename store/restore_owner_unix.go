//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// giveOwner makes files belong to whom the file at path belongs or, if there is none, its directory: where root restores, the service
// has to read what is new. Where this process may not do that, they stay its own. A link that stands there by now is not followed.
func giveOwner(path string, files ...string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("whose %s is cannot be told", info.Name())
	}
	for _, file := range files {
		err := os.Lchown(file, int(owner.Uid), int(owner.Gid))
		if err != nil && !errors.Is(err, os.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return nil
}
