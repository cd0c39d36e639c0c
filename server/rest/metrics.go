package rest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// metrics are the server's, in a registry of their own. Names and labels are kube-apiserver's where it has them, so that
// dashboards made for it work here.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inflight *prometheus.GaugeVec
	watches  *prometheus.GaugeVec
	events   *prometheus.CounterVec
}

func newMetrics() *metrics {
	resource := []string{"group", "version", "resource"}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apiserver_request_total", Help: "Requests answered, by what they asked and the answer's status code.",
		}, append(resource[:3:3], "verb", "subresource", "code")),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "apiserver_request_duration_seconds", Help: "How long requests took; not those that last, as watches do.",
			Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60},
		}, []string{"resource", "verb"}),
		inflight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "apiserver_current_inflight_requests", Help: "Requests being served now, but for those that last.",
		}, []string{"request_kind"}),
		watches: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "apiserver_longrunning_requests", Help: "Watches being served now.",
		}, resource),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apiserver_watch_events_total", Help: "Events sent to watches.",
		}, resource),
	}
	m.registry.MustRegister(m.requests, m.duration, m.inflight, m.watches, m.events,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// count adds a gauge of the objects that a store holds, by resource.
func (m *metrics) count(h *Handler) {
	m.registry.MustRegister(&objectCounter{handler: h, desc: prometheus.NewDesc(
		"apiserver_resource_objects", "Objects stored.", []string{"group", "resource"}, nil)})
}

func (m *metrics) serve() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// begin counts a request in; what it returns counts it out.
func (m *metrics) begin(c *call) func(took time.Duration) {
	long := c.info.longRunning(c.query)
	kind := "mutating"
	if isRead(c.info.Verb) {
		kind = "readOnly"
	}
	if !long {
		m.inflight.WithLabelValues(kind).Inc()
	}
	return func(took time.Duration) {
		group, version, resource, subresource := c.labels()
		m.requests.WithLabelValues(group, version, resource, c.verbLabel(), subresource, strconv.Itoa(c.w.status)).Inc()
		if !long {
			m.inflight.WithLabelValues(kind).Dec()
			m.duration.WithLabelValues(resource, c.verbLabel()).Observe(took.Seconds())
		}
	}
}

// labels say what a request is about. Only what exists is named: a client must not be able to make up label values.
func (c *call) labels() (group, version, resource, subresource string) {
	if c.kind == nil {
		return "", "", "", ""
	}
	if s, ok := c.kind.Subresource(c.info.Subresource); ok {
		subresource = s.Name
	}
	return c.kind.Group, c.kind.Version, c.kind.Resource, subresource
}

func (c *call) verbLabel() string {
	switch c.info.Verb {
	case "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "head", "put", "post", "options":
		return c.info.Verb
	}
	return "other"
}

// watching counts a watch in; what it returns counts it out.
func (m *metrics) watching(c *call) func() {
	gauge := m.watches.WithLabelValues(c.kind.Group, c.kind.Version, c.kind.Resource)
	gauge.Inc()
	return gauge.Dec
}

func (m *metrics) sent(c *call, events int) {
	m.events.WithLabelValues(c.kind.Group, c.kind.Version, c.kind.Resource).Add(float64(events))
}

// objectCounter reads the store's counts when it is scraped.
type objectCounter struct {
	handler *Handler
	desc    *prometheus.Desc
}

func (o *objectCounter) Describe(out chan<- *prometheus.Desc) { out <- o.desc }

func (o *objectCounter) Collect(out chan<- prometheus.Metric) {
	seen := map[schema.GroupResource]bool{}
	for _, k := range o.handler.kinds.List() {
		gr := k.GroupResource()
		if seen[gr] {
			continue // another version of the same objects
		}
		seen[gr] = true
		n := o.handler.api.Store().Snapshot(gr).Len()
		out <- prometheus.MustNewConstMetric(o.desc, prometheus.GaugeValue, float64(n), gr.Group, gr.Resource)
	}
}
