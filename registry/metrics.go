package registry

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the registry counts.
type metrics struct {
	requests       *prometheus.CounterVec
	pushed, pulled prometheus.Counter
	collected      *prometheus.CounterVec
	freed          prometheus.Counter
	gauges         []prometheus.Collector
}

func newMetrics(r *Registry) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "leme_registry_" + name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "leme_registry_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "leme_registry_" + name, Help: help}, value)
	}
	return &metrics{
		requests:  counters("requests_total", "Requests answered, by what they were for, method and status code.", "endpoint", "method", "code"),
		pushed:    counter("pushed_bytes_total", "Bytes of blobs that came in."),
		pulled:    counter("answered_bytes_total", "Bytes of answers, blobs and manifests above all."),
		collected: counters("collected_total", "What the collector removed, by what it was.", "type"),
		freed:     counter("collected_bytes_total", "Bytes of content that the collector removed."),
		gauges: []prometheus.Collector{
			gauge("stored_bytes", "Bytes of content on disk.", func() float64 { return float64(r.usage.stored.Load()) }),
			gauge("uploads", "Uploads that are open.", func() float64 {
				r.uploadsMu.Lock()
				defer r.uploadsMu.Unlock()
				return float64(len(r.uploads))
			}),
		},
	}
}

// Metrics are what the registry counts, for whoever shows it.
func (r *Registry) Metrics() []prometheus.Collector {
	m := r.metrics
	return append([]prometheus.Collector{m.requests, m.pushed, m.pulled, m.collected, m.freed}, m.gauges...)
}

// endpointNames are what metrics call endpoints.
var endpointNames = map[endpoint]string{
	noEndpoint: "none", pingEndpoint: "ping", catalogEndpoint: "catalog", collectionEndpoint: "gc", uploadsEndpoint: "uploads", uploadEndpoint: "upload",
	blobEndpoint: "blob", manifestEndpoint: "manifest", tagsEndpoint: "tags", referrersEndpoint: "referrers",
}

var countedMethods = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true, http.MethodDelete: true,
}

// request counts an answered request. Methods that clients make up are one.
func (m *metrics) request(at endpoint, method string, answer *counter) {
	if !countedMethods[method] {
		method = "other"
	}
	m.requests.WithLabelValues(endpointNames[at], method, strconv.Itoa(max(answer.status, http.StatusOK))).Inc()
	m.pulled.Add(float64(answer.bytes))
}

func (m *metrics) collection(got Collected) {
	m.collected.WithLabelValues("upload").Add(float64(got.Uploads))
	m.collected.WithLabelValues("manifest").Add(float64(got.Manifests))
	m.collected.WithLabelValues("blob").Add(float64(got.Blobs))
	m.freed.Add(float64(got.Bytes))
}

// counter remembers what was answered.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counter) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
