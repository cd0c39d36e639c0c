package usage

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count by the names of metrics-server.
type metrics struct {
	took   prometheus.Histogram
	total  *prometheus.CounterVec
	points *points
}

func newMetrics(r prometheus.Registerer, m *memory) *metrics {
	all := &metrics{
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "metrics_server_kubelet_request_duration_seconds", Help: "How long agents took to say what their nodes use.",
			Buckets: prometheus.DefBuckets,
		}),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "metrics_server_kubelet_request_total", Help: "Requests to agents for what their nodes use.",
		}, []string{"success"}),
		points: &points{m, prometheus.NewDesc(
			"metrics_server_storage_points", "Nodes and containers of which it is known what they use.", []string{"type"}, nil)},
	}
	if r != nil {
		r.MustRegister(all.took, all.total, all.points)
	}
	return all
}

func (m *metrics) asked(took time.Duration, ok bool) {
	m.took.Observe(took.Seconds())
	success := "false"
	if ok {
		success = "true"
	}
	m.total.WithLabelValues(success).Inc()
}

// points are counted when somebody looks.
type points struct {
	memory *memory
	desc   *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (p *points) Describe(out chan<- *prometheus.Desc) { out <- p.desc }

// Collect implements prometheus.Collector.
func (p *points) Collect(out chan<- prometheus.Metric) {
	nodes, containers := p.memory.size()
	out <- prometheus.MustNewConstMetric(p.desc, prometheus.GaugeValue, float64(nodes), "node")
	out <- prometheus.MustNewConstMetric(p.desc, prometheus.GaugeValue, float64(containers), "container")
}
