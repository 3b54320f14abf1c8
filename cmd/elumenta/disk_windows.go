package main

import "golang.org/x/sys/windows"

// diskFree is how many bytes a program may still write on the file system of a folder.
func diskFree(dir string) (free uint64, err error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err
}
