package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
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

// reload takes the configuration again, but for what the program is started with, as a whole or not at all. What runs goes on with
// what it began with.
func (n *node) reload(api *httpapi.API) {
	conf, err := n.load()
	if err != nil {
		n.fresh.refused()
		n.log.Error("the configuration was not reloaded: it has mistakes, and what was read before stays", "error", err)
		return
	}
	n.fresh.taken()
	n.take(conf, api)
}

func (n *node) take(conf *settings, api *httpapi.API) {
	n.level.Set(conf.Log.Level)
	if n.certificate.Load() != nil && conf.certificate != nil {
		n.certificate.Store(conf.certificate)
	}
	fresh := newRoutes(conf.Config, n.log, n.telemetry, n.traceProviders)
	catalog := elumenta.NewCatalog(fresh.models)
	n.store.Reload(conf.Plans, conf.DeniedNames, conf.KeepRecords, conf.Limits.AssistantStorage)
	n.generator.Load().Reload(generationOptions(conf.Config, catalog))
	api.Reload(apiSettings(conf.Config, catalog, fresh.providers))
	n.routes.close() // but for what still answers
	n.routes = fresh
	n.log.Info("reloaded the configuration", "providers", fresh.enabled, "models", len(fresh.models))
	if restart := n.needRestart(conf.Config); len(restart) > 0 {
		n.log.Warn("settings that need a restart have changed", "settings", restart)
	}
}

// needRestart names what the program was started with and has changed since.
func (n *node) needRestart(conf *config.Config) []string {
	running := *n.conf
	running.Log.Level, running.Limits, running.Plans = conf.Log.Level, conf.Limits, conf.Plans
	running.TrustedProxies, running.CORSOrigins = conf.TrustedProxies, conf.CORSOrigins
	running.DeniedNames, running.KeepRecords = conf.DeniedNames, conf.KeepRecords
	if running.TLSCert != "" && conf.TLSCert != "" {
		running.TLSCert, running.TLSKey = conf.TLSCert, conf.TLSKey
	}
	return conf.Changed(&running)
}
