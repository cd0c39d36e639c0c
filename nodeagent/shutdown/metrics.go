package shutdown

import "github.com/prometheus/client_golang/prometheus"

// The metrics of shutdowns, by the kubelet's names.
var (
	started = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "kubelet_graceful_shutdown_start_time_seconds",
		Help: "Last graceful shutdown start time since unix epoch in seconds",
	})
	ended = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "kubelet_graceful_shutdown_end_time_seconds",
		Help: "Last graceful shutdown end time since unix epoch in seconds",
	})
)

// Metrics are what managers note.
func Metrics() []prometheus.Collector { return []prometheus.Collector{started, ended} }
