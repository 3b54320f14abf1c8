package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// collector takes traces and metrics and throws them away.
type collector struct {
	server  *http.Server
	addr    string
	share   float64
	bytes   atomic.Int64
	serving sync.WaitGroup
}

func startCollector(ctx context.Context, share float64) (*collector, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &collector{addr: l.Addr().String(), share: share}
	c.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		c.bytes.Add(n)
		w.Header().Set("Content-Type", "application/x-protobuf")
	})}
	c.serving.Go(func() { _ = c.server.Serve(l) })
	return c, nil
}

// env makes a server export to the collector.
func (c *collector) env() []string {
	return []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + c.addr, "OTEL_TRACES_SAMPLER=parentbased_traceidratio",
		"OTEL_TRACES_SAMPLER_ARG=" + strconv.FormatFloat(c.share, 'f', -1, 64), "OTEL_METRIC_EXPORT_INTERVAL=1000",
	}
}

func (c *collector) close() error {
	err := c.server.Close()
	c.serving.Wait()
	return err
}
