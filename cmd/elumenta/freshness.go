package main

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// freshness says in metrics whether a server goes by what its files say.
type freshness struct{ successful, at prometheus.Gauge }

func newFreshness(r prometheus.Registerer) freshness {
	f := freshness{
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "elumenta_config_last_reload_successful", Help: "1 if the configuration was taken when it was last read, 0 if it had mistakes."}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "elumenta_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last taken, at the start or later."}),
	}
	r.MustRegister(f.successful, f.at)
	f.taken()
	return f
}

func (f freshness) taken() {
	f.successful.Set(1)
	f.at.SetToCurrentTime()
}

func (f freshness) refused() { f.successful.Set(0) }

// followCertificate says when the certificate that is served ends. Without TLS it never does, so that an alert needs no exception.
func (n *node) followCertificate() {
	n.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "elumenta_certificate_expiry_timestamp_seconds", Help: "When the certificate that is served expires; +Inf without TLS.",
	}, func() float64 {
		pair := n.certificate.Load()
		if pair == nil || pair.Leaf == nil {
			return math.Inf(1)
		}
		return float64(pair.Leaf.NotAfter.Unix())
	}))
}
