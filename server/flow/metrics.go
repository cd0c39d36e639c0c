package flow

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const prefix = "apiserver_flowcontrol_"

var (
	bySchema = []string{"priority_level", "flow_schema"}
	byLevel  = []string{"priority_level"}
	seconds  = []float64{0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30}
)

// metrics are kube-apiserver's, by their names and labels.
type metrics struct {
	rejections *prometheus.CounterVec
	dispatches *prometheus.CounterVec
	waits      *prometheus.HistogramVec
	executions *prometheus.HistogramVec
	schemas    map[string]*observer
}

func newMetrics(f *Controller, r prometheus.Registerer) *metrics {
	m := &metrics{
		rejections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "rejected_requests_total", Help: "Requests that were not let in, by the reason.",
		}, append(bySchema[:2:2], "reason")),
		dispatches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "dispatched_requests_total", Help: "Requests that were let in.",
		}, bySchema),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "request_wait_duration_seconds", Help: "How long requests waited, let in (execute) or not.", Buckets: seconds,
		}, append(bySchema[:2:2], "execute")),
		executions: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "request_execution_seconds", Help: "How long requests had their seats; watches until they have begun.", Buckets: seconds,
		}, bySchema),
		schemas: map[string]*observer{},
	}
	for _, s := range schemas {
		m.schemas[s.name] = &observer{
			rejections: m.rejections.MustCurryWith(prometheus.Labels{"priority_level": s.level, "flow_schema": s.name}),
			dispatches: m.dispatches.WithLabelValues(s.level, s.name),
			waited:     m.waits.WithLabelValues(s.level, s.name, "true"),
			inVain:     m.waits.WithLabelValues(s.level, s.name, "false"),
			executions: m.executions.WithLabelValues(s.level, s.name),
		}
	}
	if r != nil {
		r.MustRegister(m.rejections, m.dispatches, m.waits, m.executions, &gauges{f})
	}
	return m
}

func (m *metrics) of(s *schema) *observer { return m.schemas[s.name] }

// observer counts the requests of one schema.
type observer struct {
	rejections *prometheus.CounterVec
	dispatches prometheus.Counter
	waited     prometheus.Observer
	inVain     prometheus.Observer
	executions prometheus.Observer
}

func (o *observer) rejected(reason string, after time.Duration) {
	o.rejections.WithLabelValues(reason).Inc()
	o.inVain.Observe(after.Seconds())
}

func (o *observer) dispatched(after time.Duration) {
	o.dispatches.Inc()
	o.waited.Observe(after.Seconds())
}

func (o *observer) executed(took time.Duration) { o.executions.Observe(took.Seconds()) }

// gauges reads what there is at the moment when it is scraped.
type gauges struct{ flow *Controller }

var (
	nominalSeats   = prometheus.NewDesc(prefix+"nominal_limit_seats", "Seats that are the level's own.", byLevel, nil)
	lowerSeats     = prometheus.NewDesc(prefix+"lower_limit_seats", "Seats that no other level may use.", byLevel, nil)
	upperSeats     = prometheus.NewDesc(prefix+"upper_limit_seats", "Seats that the level has when all others are idle.", byLevel, nil)
	executingSeats = prometheus.NewDesc(prefix+"current_executing_seats", "Seats in use.", byLevel, nil)
	executing      = prometheus.NewDesc(prefix+"current_executing_requests", "Requests that have their seats.", bySchema, nil)
	inQueue        = prometheus.NewDesc(prefix+"current_inqueue_requests", "Requests that wait.", bySchema, nil)
)

func (g *gauges) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(g, out) }

func (g *gauges) Collect(out chan<- prometheus.Metric) {
	f := g.flow
	f.mu.Lock()
	defer f.mu.Unlock()
	gauge := func(desc *prometheus.Desc, value int, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	for _, s := range f.shares {
		gauge(nominalSeats, s.nominal, s.name)
		gauge(lowerSeats, s.kept, s.name)
		gauge(upperSeats, s.most, s.name)
		gauge(executingSeats, s.used, s.name)
	}
	type count struct{ executing, waiting int }
	counts := map[string]count{}
	for _, s := range f.shares {
		for key, l := range s.flows {
			c := counts[key.schema]
			counts[key.schema] = count{c.executing + l.serving, c.waiting + l.waiting.Len()}
		}
	}
	for _, s := range schemas {
		gauge(executing, counts[s.name].executing, s.level, s.name)
		gauge(inQueue, counts[s.name].waiting, s.level, s.name)
	}
}
