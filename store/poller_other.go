//go:build !linux

package store

type poller struct{}

func newPoller() *poller { return nil }
func (p *poller) turn()  {}
func (p *poller) close() {}
