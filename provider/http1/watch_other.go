//go:build !unix

package http1

import "net"

// watchable says that an idle connection's end can be noticed. Where it cannot, the wrapped transport takes every request.
const watchable = false

func watch(net.Conn) func() bool { return nil }
