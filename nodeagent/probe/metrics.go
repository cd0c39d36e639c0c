package probe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// The kubelet's metrics of probes.
var (
	total = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "prober_probe_total",
		Help: "Cumulative number of a liveness, readiness or startup probe for a container by result.",
	}, []string{"probe_type", "result", "container", "pod", "namespace", "pod_uid"})
	duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "prober_probe_duration_seconds", Help: "Duration in seconds for a probe response.", Buckets: prometheus.DefBuckets,
	}, []string{"probe_type", "container", "pod", "namespace"})
)

// Metrics are what all probes of this node count.
func Metrics() []prometheus.Collector { return []prometheus.Collector{total, duration} }

// Subject is whose probe it is, in the metrics.
type Subject struct {
	Namespace, Pod, Container string
	UID                       types.UID
}

// count notes a probe's outcome, in the kubelet's words.
func (p *Prober) count(ok bool, err error, took time.Duration) {
	result := "successful"
	switch {
	case err != nil:
		result = "unknown"
	case !ok:
		result = "failed"
	}
	of := p.Subject
	total.WithLabelValues(string(p.Kind), result, of.Container, of.Pod, of.Namespace, string(of.UID)).Inc()
	duration.WithLabelValues(string(p.Kind), of.Container, of.Pod, of.Namespace).Observe(took.Seconds())
}

// forget drops the counts of a container that is not probed any more: there are as many as there are containers.
func (p *Prober) forget() {
	of := p.Subject
	labels := prometheus.Labels{"probe_type": string(p.Kind), "container": of.Container, "pod": of.Pod, "namespace": of.Namespace}
	duration.DeletePartialMatch(labels)
	labels["pod_uid"] = string(of.UID)
	total.DeletePartialMatch(labels)
}
