package imagegc

import "github.com/prometheus/client_golang/prometheus"

// collected counts removed images, by the kubelet's name.
var collected = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "kubelet_image_garbage_collected_total",
	Help: "Total number of images garbage collected by the kubelet, whether through disk usage or image age.",
}, []string{"reason"})

// Metrics are what collectors count.
func Metrics() []prometheus.Collector { return []prometheus.Collector{collected} }
