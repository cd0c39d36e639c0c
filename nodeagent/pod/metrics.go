package pod

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// The metrics of image volumes, by the kubelet's names.
var (
	imageVolumesRequested = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kubelet_image_volume_requested_total",
		Help: "Number of requested image volumes.",
	})
	imageVolumesMounted = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kubelet_image_volume_mounted_succeed_total",
		Help: "Number of successful image volume mounts.",
	})
	imageVolumesFailed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kubelet_image_volume_mounted_errors_total",
		Help: "Number of failed image volume mounts.",
	})
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
	return []prometheus.Collector{admissionRejections, preemptions, imageVolumesRequested, imageVolumesMounted, imageVolumesFailed}
}

// rejections are the values of the label, as the kubelet has them.
var rejections = []string{
	"AppArmor", "PodOSSelectorNodeLabelDoesNotMatch", "PodOSNotSupported", "InvalidNodeInfo", "UnexpectedAdmissionError",
	"OutOfcpu", "OutOfmemory", "OutOfephemeral-storage", "OutOfpods", "Evicted", "SysctlForbidden", "NodeShutdown",
}

// rejectionLabel keeps the values few, as resources can have any name.
func rejectionLabel(reason string) string {
	switch {
	case slices.Contains(rejections, reason):
		return reason
	case strings.HasPrefix(reason, "OutOf"):
		return "OutOfExtendedResources"
	}
	return "Other"
}
