package controller

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/util/workqueue"
)

// metrics are of the controllers' queues and of who leads, by the names of kube-controller-manager.
type metrics struct {
	leading prometheus.Gauge

	depth, unfinished, longest *prometheus.GaugeVec
	adds, retries              *prometheus.CounterVec
	queued, worked             *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "workqueue_" + name, Help: help}, []string{"name"})
	}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "workqueue_" + name, Help: help}, []string{"name"})
	}
	seconds := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "workqueue_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(1e-6, 10, 9),
		}, []string{"name"})
	}
	m := &metrics{
		leading: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "leader_election_master_status", Help: "1 while this server leads, else 0.", ConstLabels: prometheus.Labels{"name": "leme-controllers"},
		}),
		depth:      gauge("depth", "Keys that wait."),
		unfinished: gauge("unfinished_work_seconds", "How long the keys that are worked on have been so, together."),
		longest:    gauge("longest_running_processor_seconds", "How long the key has been worked on that has been longest."),
		adds:       counter("adds_total", "Keys added."),
		retries:    counter("retries_total", "Keys added again because work on them failed."),
		queued:     seconds("queue_duration_seconds", "How long keys waited."),
		worked:     seconds("work_duration_seconds", "How long keys were worked on."),
	}
	if r != nil {
		r.MustRegister(m.leading, m.depth, m.unfinished, m.longest, m.adds, m.retries, m.queued, m.worked)
	}
	return m
}

// measured is a component whose queue counts.
type measured interface {
	measure(workqueue.MetricsProvider)
}

// queueMetrics implements workqueue.MetricsProvider.
type queueMetrics struct{ *metrics }

func (m queueMetrics) NewDepthMetric(name string) workqueue.GaugeMetric {
	return m.depth.WithLabelValues(name)
}

func (m queueMetrics) NewAddsMetric(name string) workqueue.CounterMetric {
	return m.adds.WithLabelValues(name)
}

func (m queueMetrics) NewLatencyMetric(name string) workqueue.HistogramMetric {
	return m.queued.WithLabelValues(name)
}

func (m queueMetrics) NewWorkDurationMetric(name string) workqueue.HistogramMetric {
	return m.worked.WithLabelValues(name)
}

func (m queueMetrics) NewUnfinishedWorkSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return m.unfinished.WithLabelValues(name)
}

func (m queueMetrics) NewLongestRunningProcessorSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return m.longest.WithLabelValues(name)
}

func (m queueMetrics) NewRetriesMetric(name string) workqueue.CounterMetric {
	return m.retries.WithLabelValues(name)
}
