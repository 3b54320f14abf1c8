package main

import (
	"fmt"
	"net"
	"time"
)

// tellReady says to the service manager that requests are answered and that signals have their effect.
func (n *node) tellReady() { n.tellManager("READY=1") }

// tellStopping asks it for as long as draining may take: what it allows of its own may be less than what the configuration says.
func (n *node) tellStopping() {
	longest := n.conf.DrainDelay + n.conf.DrainTimeout + 2*endWait
	n.tellManager(fmt.Sprintf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", longest/time.Microsecond))
}

// tellManager tells the service manager that started the program how it is, where that has asked for it: sd_notify(3).
func (n *node) tellManager(state string) {
	socket := n.program.getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(state))
		_ = conn.Close()
	}
	if err != nil {
		n.log.Warn("cannot tell the service manager how the server is", "error", err)
	}
}
