package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

// hangups receives SIGHUP from now on, until the returned function is called. Windows has no such signal.
func hangups() (signals <-chan os.Signal, end func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// reloadAt reloads at each of the signals, until the returned function is called.
func (n *node) reloadAt(signals <-chan os.Signal, api *httpapi.API) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-signals:
				n.reload(api)
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// reload takes providers, models, routes, the certificate and the log level from the configuration again, as a whole or not at
// all. What runs goes on with the routes that it began with.
func (n *node) reload(api *httpapi.API) {
	conf, err := n.load()
	if err != nil {
		n.log.Error("the configuration was not reloaded: it has mistakes, and what was read before stays", "error", err)
		return
	}
	pair, err := loadCertificate(conf)
	if err != nil {
		n.log.Error("the configuration was not reloaded: its certificate cannot be used, and what was read before stays", "error", err)
		return
	}
	running := *n.conf
	running.Log.Level = conf.Log.Level
	if pair != nil && running.TLSCert != "" {
		running.TLSCert, running.TLSKey = conf.TLSCert, conf.TLSKey
	}
	restart := conf.Changed(&running)
	if slices.Contains(restart, "plans") {
		n.log.Error("the configuration was not reloaded: models go by the plans, and those have changed, which needs a restart")
		return
	}
	n.level.Set(conf.Log.Level)
	if n.certificate.Load() != nil && pair != nil {
		n.certificate.Store(pair)
	}
	fresh := newRoutes(conf, n.log, n.telemetry, n.traceProviders)
	catalog := elumenta.NewCatalog(fresh.models)
	n.generator.Load().SetCatalog(catalog)
	api.SetCatalog(catalog, fresh.providers)
	n.routes.close() // but for what still answers
	n.routes = fresh
	n.log.Info("reloaded providers and models", "providers", fresh.enabled, "models", len(fresh.models))
	if len(restart) > 0 {
		n.log.Warn("settings that need a restart have changed", "settings", restart)
	}
}
