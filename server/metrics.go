package server

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
)

// newMetrics is where every part of the server counts.
func newMetrics(others []prometheus.Collector) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(others...)
	return registry
}

// shown is what /metrics shows: the server's metrics, and those of the embedded etcd, which counts by itself.
func shown(registry *prometheus.Registry) prometheus.Gatherer {
	return prometheus.Gatherers{registry, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		all, err := prometheus.DefaultGatherer.Gather()
		var etcd []*dto.MetricFamily
		for _, family := range all {
			if strings.HasPrefix(family.GetName(), "etcd_") {
				etcd = append(etcd, family)
			}
		}
		return etcd, err
	})}
}
