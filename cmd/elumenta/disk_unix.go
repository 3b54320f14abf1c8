//go:build unix

package main

import "golang.org/x/sys/unix"

// diskFree is how many bytes a program may still write on the file system of a folder.
func diskFree(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil //nolint:unconvert // their types differ by system
}
