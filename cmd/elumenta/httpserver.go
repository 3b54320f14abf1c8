package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
	"github.com/elumenta/elumenta/httpapi"
)

// Limits of a connection, against clients that send slowly or keep connections for nothing. Bodies and writes have limits
// of their own, in httpapi and console: a stream may take minutes.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	metricsTimeout    = 30 * time.Second
	// endWait is how long requests that were interrupted get to say so, and generations to be settled.
	endWait = 10 * time.Second
)

// serve answers requests until ctx ends, then drains.
func (n *node) serve(ctx context.Context, api http.Handler) error {
	defer respectMemoryLimit(n.log)()
	defer keepHeapFloor()()
	metrics := promhttp.HandlerFor(n.metrics, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelError)})
	if n.listeners.metrics == nil {
		api = withMetrics(api, metrics)
	}
	server := n.httpServer(api)
	failed := make(chan error, 2)
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() { failed <- serveOn(server, n.listeners.api) })
	resting, stop := context.WithCancel(ctx)
	defer stop()
	serving.Go(func() { returnMemory(resting) })
	if n.listeners.metrics != nil {
		own := n.httpServer(withMetrics(http.NotFoundHandler(), metrics))
		own.TLSConfig, own.ReadTimeout, own.WriteTimeout = nil, metricsTimeout, metricsTimeout
		serving.Go(func() { failed <- serveOn(own, n.listeners.metrics) })
		defer func() { _ = own.Close() }() // it serves while requests drain
	}
	select {
	case <-ctx.Done():
		return n.drain(server, failed)
	case err := <-failed:
		_ = server.Close()
		n.end()
		return fmt.Errorf("cannot go on serving: %w", err)
	}
}

func (n *node) httpServer(h http.Handler) *http.Server {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		// What the server says here is about connections: failed handshakes, clients that speak something else.
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	if n.certificate.Load() != nil {
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return n.certificate.Load(), nil
		}}
	}
	return s
}

func serveOn(s *http.Server, l net.Listener) error {
	var err error
	if s.TLSConfig != nil {
		err = s.ServeTLS(l, "", "")
	} else {
		err = s.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// withConsole serves the console beside the API. The root leads a browser to it.
func withConsole(api *httpapi.API, pages http.Handler) http.Handler {
	pages, root := api.Pages(pages), api.Pages(http.RedirectHandler(console.Base, http.StatusFound))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, console.Base):
			pages.ServeHTTP(w, r)
		case r.URL.Path+"/" == console.Base, r.URL.Path == "/" && strings.Contains(r.Header.Get("Accept"), "text/html"):
			root.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// withMetrics serves the metrics beside something else.
func withMetrics(other, metrics http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			other.ServeHTTP(w, r)
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(metricsTimeout))
		w.Header().Set("X-Request-Id", string(elumenta.NewRequestID()))
		metrics.ServeHTTP(w, r)
	})
}

// drain stops a node without dropping what it has begun: readiness fails at once, connections are accepted a while
// longer, running requests get their time, and what is left is interrupted and says so.
func (n *node) drain(server *http.Server, failed <-chan error) error {
	close(n.draining)
	n.tellStopping()
	n.log.Info("stopping", "drain_delay", n.conf.DrainDelay, "drain_timeout", n.conf.DrainTimeout)
	if n.conf.DrainDelay > 0 {
		select {
		case <-time.After(n.conf.DrainDelay):
		case err := <-failed:
			n.log.Warn("no longer accepting connections", "error", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), n.conf.DrainTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		n.log.Warn("interrupting requests that outlast the drain timeout")
		n.interrupt()
		ending, cancel := context.WithTimeout(context.Background(), endWait)
		defer cancel()
		if err := server.Shutdown(ending); err != nil {
			_ = server.Close()
		}
	}
	n.end()
	n.log.Info("stopped")
	return nil
}

// end waits until generations are settled.
func (n *node) end() {
	ctx, cancel := context.WithTimeout(context.Background(), endWait)
	defer cancel()
	if err := n.generator.Load().Close(ctx); err != nil {
		n.log.Warn("some generations are not settled; what they reserved is given back at the next start", "error", err)
	}
}
