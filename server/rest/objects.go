package rest

import (
	"github.com/prometheus/client_golang/prometheus"
)

// objectCounter tells how many objects the store holds, by resource, when it is scraped.
type objectCounter struct {
	handler *Handler
	desc    *prometheus.Desc
}

func newObjectCounter(h *Handler) *objectCounter {
	return &objectCounter{handler: h, desc: prometheus.NewDesc(
		"apiserver_resource_objects", "Objects stored.", []string{"group", "resource"}, nil)}
}

// Describe implements prometheus.Collector.
func (o *objectCounter) Describe(out chan<- *prometheus.Desc) { out <- o.desc }

// Collect implements prometheus.Collector.
func (o *objectCounter) Collect(out chan<- prometheus.Metric) {
	for _, k := range o.handler.kinds.Stored() {
		gr := k.GroupResource()
		n := o.handler.api.Store().Snapshot(gr).Len()
		out <- prometheus.MustNewConstMetric(o.desc, prometheus.GaugeValue, float64(n), gr.Group, gr.Resource)
	}
}
