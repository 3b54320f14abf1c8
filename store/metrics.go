package store

import (
	"database/sql"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

type metrics struct {
	registry    prometheus.Registerer
	size        prometheus.Histogram
	latency     prometheus.Histogram
	waits       prometheus.Counter
	waitSeconds prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		registry: registry,
		size: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "elumenta_store_commit_operations",
			Help: "Writes in one commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 9)}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "elumenta_store_commit_seconds",
			Help: "Time from the begin of a transaction to its durable end.", Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16)}),
		waits: prometheus.NewCounter(prometheus.CounterOpts{Name: "elumenta_store_reader_waits_total",
			Help: "Reads that waited for a connection to SQLite."}),
		waitSeconds: prometheus.NewCounter(prometheus.CounterOpts{Name: "elumenta_store_reader_wait_seconds_total",
			Help: "Time that reads waited for a connection to SQLite."}),
	}
	err := m.register(m.size, m.latency, m.waits, m.waitSeconds)
	return m, err
}

func (m *metrics) register(all ...prometheus.Collector) error {
	if m.registry == nil {
		return nil
	}
	for _, c := range all {
		if err := m.registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// pool registers the waits and sizes of a pool of connections to Postgres.
func (m *metrics) pool(db *sql.DB, name string) error {
	return m.register(collectors.NewDBStatsCollector(db, name))
}

func (m *metrics) commit(operations int, took time.Duration) {
	m.size.Observe(float64(operations))
	m.latency.Observe(took.Seconds())
}

func (m *metrics) waited(d time.Duration) {
	m.waits.Inc()
	m.waitSeconds.Add(d.Seconds())
}
