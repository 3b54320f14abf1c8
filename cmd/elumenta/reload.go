package main

import (
	"context"
	"os"
	"os/signal"
	"reflect"
	"sync"
	"syscall"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/httpapi"
)

// reloadOnHangup takes providers and models from the configuration again at each SIGHUP, until the returned function is called.
// Windows has no such signal.
func (n *node) reloadOnHangup(api *httpapi.API) (end func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-hangups:
				n.reload(api)
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		signal.Stop(hangups)
		cancel()
		running.Wait()
	}
}

// reload applies a configuration as a whole or not at all. What runs goes on with the routes that it began with.
func (n *node) reload(api *httpapi.API) {
	conf, err := n.load()
	if err != nil {
		n.log.Error("the configuration was not reloaded: it has mistakes, and what was read before stays", "error", err)
		return
	}
	if !reflect.DeepEqual(conf.Plans, n.conf.Plans) {
		n.log.Error("the configuration was not reloaded: plans have changed, which needs a restart")
		return
	}
	if !reflect.DeepEqual(settled(conf), settled(n.conf)) {
		n.log.Warn("settings other than providers and models have changed: they need a restart")
	}
	fresh := newRoutes(conf, n.log, n.telemetry, n.traceProviders)
	catalog := elumenta.NewCatalog(fresh.models)
	n.generator.Load().SetCatalog(catalog)
	api.SetCatalog(catalog, fresh.providers)
	n.routes.close() // but for what still answers
	n.routes = fresh
	n.log.Info("reloaded providers and models", "providers", fresh.enabled, "models", len(fresh.models))
}

// settled is what a reload leaves as it is.
func settled(c *config.Config) config.Config {
	out := *c
	out.Providers, out.Models, out.Routes = nil, nil, nil
	return out
}
