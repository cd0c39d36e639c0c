package nodeapi

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"leme/nodeagent/pod"
)

// metrics are the agent's own, and those of claims' volumes.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(claimVolumes{s.Pods, s.store.volumes()})
	promhttp.HandlerFor(prometheus.Gatherers{s.Metrics, registry}, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// resourceMetrics are those of node, pods and containers, by the names of the kubelet's /metrics/resource.
func (s *Server) resourceMetrics(w http.ResponseWriter, r *http.Request) {
	c := resources{}
	if m, err := s.gauge.measure(r.Context()); err == nil {
		c.node, c.all = m.node, m.all
	} else {
		c.failed = true
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

var (
	podLabels       = []string{"namespace", "pod"}
	containerLabels = []string{"container", "namespace", "pod"}

	scrapeError     = prometheus.NewDesc("resource_scrape_error", "1 if there was an error while getting container metrics, 0 otherwise", nil, nil)
	nodeCPU         = prometheus.NewDesc("node_cpu_usage_seconds_total", "Cumulative cpu time consumed by the node in core-seconds", nil, nil)
	nodeMemory      = prometheus.NewDesc("node_memory_working_set_bytes", "Current working set of the node in bytes", nil, nil)
	podCPU          = prometheus.NewDesc("pod_cpu_usage_seconds_total", "Cumulative cpu time consumed by the pod in core-seconds", podLabels, nil)
	podMemory       = prometheus.NewDesc("pod_memory_working_set_bytes", "Current working set of the pod in bytes", podLabels, nil)
	containerCPU    = prometheus.NewDesc("container_cpu_usage_seconds_total", "Cumulative cpu time consumed by the container in core-seconds", containerLabels, nil)
	containerMemory = prometheus.NewDesc("container_memory_working_set_bytes", "Current working set of the container in bytes", containerLabels, nil)
	containerStart  = prometheus.NewDesc("container_start_time_seconds", "Start time of the container since unix epoch in seconds", containerLabels, nil)
)

// resources collects one moment's consumption.
type resources struct {
	node   pod.Stats
	all    []usage
	failed bool
}

// Describe implements prometheus.Collector.
func (r resources) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		scrapeError, nodeCPU, nodeMemory, podCPU, podMemory, containerCPU, containerMemory, containerStart,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (r resources) Collect(ch chan<- prometheus.Metric) {
	failed := 0.0
	if r.failed {
		failed = 1
	}
	ch <- prometheus.MustNewConstMetric(scrapeError, prometheus.GaugeValue, failed)
	consumption(ch, r.node, nodeCPU, nodeMemory)
	pods := map[[2]string]pod.Stats{}
	for _, u := range r.all {
		key := [2]string{u.PodNamespace, u.PodName}
		pods[key] = sum(pods[key], u.Stats)
		if u.Sandbox {
			continue
		}
		labels := []string{u.Name, u.PodNamespace, u.PodName}
		consumption(ch, u.Stats, containerCPU, containerMemory, labels...)
		started := float64(u.Started.UnixNano()) / float64(time.Second)
		ch <- prometheus.MustNewConstMetric(containerStart, prometheus.GaugeValue, started, labels...)
	}
	for key, total := range pods {
		consumption(ch, total, podCPU, podMemory, key[:]...)
	}
}

func consumption(ch chan<- prometheus.Metric, s pod.Stats, cpu, memory *prometheus.Desc, labels ...string) {
	if s.Time.IsZero() {
		return
	}
	for _, m := range []prometheus.Metric{
		prometheus.MustNewConstMetric(cpu, prometheus.CounterValue, s.CPU.Seconds(), labels...),
		prometheus.MustNewConstMetric(memory, prometheus.GaugeValue, float64(s.WorkingSet), labels...),
	} {
		ch <- prometheus.NewMetricWithTimestamp(s.Time, m)
	}
}
