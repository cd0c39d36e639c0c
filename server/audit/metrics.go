package audit

import "github.com/prometheus/client_golang/prometheus"

// metrics are kube-apiserver's, by their names and labels.
type metrics struct {
	events prometheus.Counter
	levels *prometheus.CounterVec
	lost   prometheus.Counter // because the buffer was full
	failed prometheus.Counter // because they could not be written
}

func newMetrics(r prometheus.Registerer) *metrics {
	errors := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "apiserver_audit_error_total", Help: "Audit events that are not in the log: lost before the buffer, or not written.",
	}, []string{"plugin"})
	m := &metrics{
		events: prometheus.NewCounter(prometheus.CounterOpts{Name: "apiserver_audit_event_total", Help: "Audit events."}),
		levels: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apiserver_audit_level_total", Help: "Requests by the level that the audit policy has for them.",
		}, []string{"level"}),
		lost:   errors.WithLabelValues("buffered"),
		failed: errors.WithLabelValues("log"),
	}
	if r != nil {
		r.MustRegister(m.events, m.levels, errors)
	}
	return m
}
