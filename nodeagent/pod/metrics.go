package pod

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// The metrics of admission, by the kubelet's names.
var (
	admissionRejections = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kubelet_admission_rejections_total",
		Help: "Cumulative number pod admission rejections by the Kubelet.",
	}, []string{"reason"})
	preemptions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kubelet_preemptions",
		Help: "Cumulative number of pod preemptions by preemption resource",
	}, []string{"preemption_signal"})
)

// Metrics are what the pods of this node count.
func Metrics() []prometheus.Collector {
	return []prometheus.Collector{admissionRejections, preemptions}
}

// rejectionLabel keeps the values of the label few, as extended resources can have any name.
func rejectionLabel(reason string) string {
	if strings.HasPrefix(reason, "OutOf") && strings.Contains(reason, "/") {
		return "OutOfExtendedResources"
	}
	return reason
}
