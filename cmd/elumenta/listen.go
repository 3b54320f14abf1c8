package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/elumenta/elumenta/config"
)

// listeners are the addresses that a node has taken. metrics is nil without an address of its own.
type listeners struct {
	api, metrics net.Listener
}

func listen(c *config.Config) (l listeners, err error) {
	if l.api, err = listenOn(c.Addr, "--addr"); err != nil {
		return l, err
	}
	if c.MetricsAddr != "" {
		if l.metrics, err = listenOn(c.MetricsAddr, "--metrics-addr"); err != nil {
			l.close()
			return l, err
		}
	}
	return l, nil
}

func listenOn(addr, flag string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is already in use: stop what listens there or choose another with %s", addr, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("not allowed to listen on %s: ports below 1024 need a privilege; choose another with %s", addr, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("this machine does not have the address %s: choose another with %s", addr, flag)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s", addr, err, flag)
}

// loadCertificate reads the files that a configuration names; it is nil without TLS.
func loadCertificate(c *config.Config) (*tls.Certificate, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err == nil {
		return &pair, nil
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("cannot read %s: %w; --tls-cert and --tls-key name PEM files", e.Path, e.Err)
	}
	return nil, fmt.Errorf("the certificate %s does not go with the key %s: %w; both must be PEM, and belong together", c.TLSCert, c.TLSKey, err)
}

func (l listeners) close() {
	for _, one := range []net.Listener{l.api, l.metrics} {
		if one != nil {
			_ = one.Close() // it may be closed already
		}
	}
}

// url is where a client on this machine reaches the API.
func (l listeners) url(c *config.Config) string {
	scheme := "http://"
	if c.TLSCert != "" {
		scheme = "https://"
	}
	return scheme + shownAddr(l.api.Addr())
}
