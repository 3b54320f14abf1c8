//go:build !unix

package http1

import "net"

// usable says that a connection's socket can be looked at. Where it cannot, the wrapped transport takes every request.
const usable = false

type socket struct{ net.Conn }

func newSocket(net.Conn) *socket { return nil }
func (s *socket) silent() bool   { return false }
func (s *socket) wait()          {}

func (s *socket) beforeWait(func() error) {}

func (s *socket) buffered() bool { return false }
func (s *socket) release()       {}
