package nodeagent

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"leme/nodeagent/eviction"
	"leme/nodeagent/imagegc"
	"leme/nodeagent/pod"
	"leme/nodeagent/shutdown"
)

// Metrics are what this process counts: its own, and what its agents do, by the kubelet's names.
func (a *Agent) Metrics() prometheus.Gatherer {
	r := prometheus.NewRegistry()
	r.MustRegister(slices.Concat(pod.Metrics(), eviction.Metrics(), imagegc.Metrics(), shutdown.Metrics())...)
	return prometheus.Gatherers{prometheus.DefaultGatherer, r}
}
