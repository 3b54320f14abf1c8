package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/elumenta/elumenta/config"
)

// healthcheckWait is longer than a server takes to answer a probe, whatever its database does.
const healthcheckWait = 5 * time.Second

type healthcheckCommand struct {
	Addr    string `help:"Where the server listens. [127.0.0.1:8080]" placeholder:"HOST:PORT" env:"ELUMENTA_ADDR"`
	Config  string `help:"The server's configuration file." placeholder:"FILE" env:"ELUMENTA_CONFIG"`
	TLSCert string `name:"tls-cert" help:"The server's certificate chain." placeholder:"FILE" env:"ELUMENTA_TLS_CERT"`
	TLSKey  string `name:"tls-key" help:"The certificate's private key." placeholder:"FILE" env:"ELUMENTA_TLS_KEY"`
}

// Help says what for.
func (healthcheckCommand) Help() string {
	return `Asks the server on this machine for /readyz, where its flags, environment and configuration file say that it listens. It
ends with 0 if the server is ready and with 1 if not. A container has no curl for its health
check; in a Dockerfile:

  HEALTHCHECK CMD ["/elumenta", "healthcheck"]`
}

// Run fails if the server is not ready.
func (c *healthcheckCommand) Run(p *program) error {
	conf, err := config.Load(c.Config, config.Overrides{Addr: c.Addr, TLSCert: c.TLSCert, TLSKey: c.TLSKey}, p.getenv)
	if err != nil {
		return err
	}
	url, err := readyURL(conf)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthcheckWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// The certificate has the names that clients call, not the loopback's; nothing secret is sent. No proxy is asked.
	anyName := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: anyName}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", errors.Unwrap(err)) // the *url.Error's address is in its cause, too
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s answers %s", url, resp.Status)
	}
	_, err = fmt.Fprintln(p.stdout, "ready")
	return err
}

// readyURL is where a server of this configuration can be asked from its own machine.
func readyURL(conf *config.Config) (string, error) {
	host, port, err := net.SplitHostPort(conf.Addr)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if conf.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/readyz", nil
}
