//go:build !linux

package store

func newLogSync(string) logSync { return nil }
