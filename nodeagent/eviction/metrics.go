package eviction

import "github.com/prometheus/client_golang/prometheus"

// The metrics of eviction, by the kubelet's names.
var (
	evictions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kubelet_evictions",
		Help: "Cumulative number of pod evictions by eviction signal",
	}, []string{"eviction_signal"})
	statsAge = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "kubelet_eviction_stats_age_seconds",
		Help:    "Time between when stats are collected, and when pod is evicted based on those stats by eviction signal",
		Buckets: prometheus.DefBuckets,
	}, []string{"eviction_signal"})
)

// Metrics are what managers count.
func Metrics() []prometheus.Collector { return []prometheus.Collector{evictions, statsAge} }
