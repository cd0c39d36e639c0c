package store

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// metrics are of the requests to etcd and of the watch on it, by kube-apiserver's names and labels.
type metrics struct {
	duration *prometheus.HistogramVec
	requests *prometheus.CounterVec
	errors   *prometheus.CounterVec
	events   *prometheus.CounterVec
	loads    prometheus.Counter
}

func newMetrics(r prometheus.Registerer, c *cache) *metrics {
	byRequest, byResource := []string{"operation", "group", "resource"}, []string{"group", "resource"}
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "etcd_request_duration_seconds", Help: "How long requests to etcd took.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 8, 15, 30, 60},
		}, byRequest),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "etcd_requests_total", Help: "Requests to etcd."}, byRequest),
		errors:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "etcd_request_errors_total", Help: "Requests that etcd did not answer."}, byRequest),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apiserver_watch_cache_events_received_total", Help: "Changes that etcd's watch has told.",
		}, byResource),
		loads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "apiserver_watch_cache_initializations_total", Help: "How often everything was read from etcd: at the start, and whenever the watch broke.",
		}),
	}
	if r != nil {
		revision := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "apiserver_watch_cache_resource_version", Help: "The revision of etcd that the cache has reached.",
		}, func() float64 { return float64(c.current()) })
		r.MustRegister(m.duration, m.requests, m.errors, m.events, m.loads, revision)
	}
	return m
}

// asked counts a request to etcd that has ended.
func (m *metrics) asked(operation string, gr schema.GroupResource, began time.Time, err error) {
	labels := []string{operation, gr.Group, gr.Resource}
	m.duration.WithLabelValues(labels...).Observe(time.Since(began).Seconds())
	m.requests.WithLabelValues(labels...).Inc()
	if err != nil {
		m.errors.WithLabelValues(labels...).Inc()
	}
}

// told counts the changes of a watch's response.
func (m *metrics) told(events []Event) {
	for _, e := range events {
		m.events.WithLabelValues(e.Item.Key.Group, e.Item.Key.Resource).Inc()
	}
}
