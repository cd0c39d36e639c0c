package rest

import (
	"crypto/x509"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the requests'. Names and labels are kube-apiserver's, so that dashboards and alerts made for it work here.
type metrics struct {
	gatherer     prometheus.Gatherer
	requests     *prometheus.CounterVec
	duration     *prometheus.HistogramVec
	sli          *prometheus.HistogramVec
	sizes        *prometheus.HistogramVec
	inflight     *prometheus.GaugeVec
	lasting      *prometheus.GaugeVec
	terminations *prometheus.CounterVec
	aborts       *prometheus.CounterVec
	events       *prometheus.CounterVec
	eventSizes   *prometheus.HistogramVec
	certificates prometheus.Histogram

	known sync.Map // series by subject
}

var (
	subjectLabels = []string{"verb", "group", "version", "resource", "subresource", "scope", "component"}
	withDryRun    = append(subjectLabels[:7:7], "dry_run")
	resourceLabel = []string{"group", "version", "resource"}

	durations = []float64{0.001, 0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60}
)

func newMetrics(registry *prometheus.Registry, shown prometheus.Gatherer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "apiserver_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "apiserver_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "apiserver_" + name, Help: help, Buckets: buckets}, labels)
	}
	m := &metrics{
		gatherer:     shown,
		requests:     counter("request_total", "Requests answered, by what they asked and the answer's status code.", append(withDryRun[:8:8], "code")...),
		duration:     histogram("request_duration_seconds", "How long requests took; not those that last, as watches do.", durations, withDryRun...),
		sli:          histogram("request_sli_duration_seconds", "How long requests took from when they were let in.", durations, subjectLabels...),
		sizes:        histogram("response_sizes", "Bytes of answers to reads.", prometheus.ExponentialBuckets(1000, 10, 7), subjectLabels...),
		inflight:     gauge("current_inflight_requests", "Requests being served now, but for those that last.", "request_kind"),
		lasting:      gauge("longrunning_requests", "Requests that last, being served now.", subjectLabels...),
		terminations: counter("request_terminations_total", "Requests refused in self-defence.", append(subjectLabels[:7:7], "code")...),
		aborts:       counter("request_aborts_total", "Requests whose client went before the answer was whole.", subjectLabels...),
		events:       counter("watch_events_total", "Events sent to watches.", resourceLabel...),
		eventSizes:   histogram("watch_events_sizes", "Bytes of events sent to watches, the mean of each batch.", prometheus.ExponentialBuckets(1024, 2, 8), resourceLabel...),
		certificates: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "apiserver_client_certificate_expiration_seconds", Help: "How long the certificates that requests came with are still good.",
			Buckets: []float64{0, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 345600, 604800, 2592000, 7776000, 15552000, 31104000},
		}),
	}
	registry.MustRegister(m.requests, m.duration, m.sli, m.sizes, m.inflight, m.lasting, m.terminations, m.aborts, m.events, m.eventSizes, m.certificates)
	return m
}

func (m *metrics) serve() http.Handler {
	return promhttp.HandlerFor(m.gatherer, promhttp.HandlerOpts{})
}

// series are one subject's, found once: finding them takes longer than counting.
type series struct {
	requests             *prometheus.CounterVec
	duration, sli, sizes prometheus.Observer
	lasting              prometheus.Gauge
	terminated, aborted  prometheus.Counter
}

func (m *metrics) of(s subject) *series {
	if known, ok := m.known.Load(s); ok {
		return known.(*series)
	}
	labels := prometheus.Labels{
		"verb": s.verb, "group": s.group, "version": s.version, "resource": s.resource, "subresource": s.subresource,
		"scope": s.scope, "component": "apiserver",
	}
	found := &series{
		sli: m.sli.With(labels), sizes: m.sizes.With(labels), lasting: m.lasting.With(labels), aborted: m.aborts.With(labels),
		terminated: m.terminations.MustCurryWith(labels).WithLabelValues(strconv.Itoa(http.StatusTooManyRequests)),
	}
	labels["dry_run"] = s.dryRun
	found.requests, found.duration = m.requests.MustCurryWith(labels), m.duration.With(labels)
	known, _ := m.known.LoadOrStore(s, found)
	return known.(*series)
}

// begin counts a request in; what it returns counts it out.
func (h *Handler) begin(c *call) func(took time.Duration) {
	c.series = h.metrics.of(h.subject(c))
	if h.lasts(c) {
		c.series.lasting.Inc()
		return func(time.Duration) {
			c.series.lasting.Dec()
			c.series.requests.WithLabelValues(c.code()).Inc()
		}
	}
	kind := "mutating"
	if isRead(c.info.Verb) {
		kind = "readOnly"
	}
	inflight := h.metrics.inflight.WithLabelValues(kind)
	inflight.Inc()
	return func(took time.Duration) {
		inflight.Dec()
		c.series.requests.WithLabelValues(c.code()).Inc()
		c.series.duration.Observe(took.Seconds())
		c.series.sli.Observe((took - c.queued).Seconds())
		if kind == "readOnly" {
			c.series.sizes.Observe(float64(c.w.bytes))
		}
		if c.r.Context().Err() != nil && c.w.status == 0 {
			c.series.aborted.Inc()
		}
	}
}

func isRead(verb string) bool {
	return verb == "get" || verb == "list" || verb == "watch" || verb == "head"
}

// code is the answer's. Where none was given the client has gone.
func (c *call) code() string {
	if c.w.status == 0 {
		return "0"
	}
	return strconv.Itoa(c.w.status)
}

func (m *metrics) terminated(c *call) { c.series.terminated.Inc() }

func (m *metrics) certificate(chain []*x509.Certificate) {
	m.certificates.Observe(time.Until(chain[0].NotAfter).Seconds())
}

// watchSeries counts what a kind's watches send.
type watchSeries struct {
	events prometheus.Counter
	sizes  prometheus.Observer
}

func (m *metrics) watching(c *call) watchSeries {
	return watchSeries{
		m.events.WithLabelValues(c.kind.Group, c.kind.Version, c.kind.Resource),
		m.eventSizes.WithLabelValues(c.kind.Group, c.kind.Version, c.kind.Resource),
	}
}

func (s watchSeries) sent(events, bytes int) {
	s.events.Add(float64(events))
	s.sizes.Observe(float64(bytes) / float64(events))
}
