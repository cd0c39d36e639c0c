package nodeapi

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"leme/nodeagent/pod"
)

// cadvisorMetrics are those of the node's containers, by the names and labels that cAdvisor has in a kubelet.
func (s *Server) cadvisorMetrics(w http.ResponseWriter, r *http.Request) {
	m, err := s.gauge.measure(r.Context())
	c := cadvisor{measurement: m, failed: err != nil, stored: s.store.known(), disks: s.disks(r.Context())}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// cadvisor collects one measurement.
type cadvisor struct {
	*measurement
	disks
	stored map[string]stored
	failed bool
}

// family is a metric of containers and how it is read.
type family struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(usage) float64
	extra []string // values of the labels beside the containers' own
	node  bool     // it is told of the whole machine too
	every bool     // it is told even when it is 0
}

var cadvisorLabels = []string{"container", "id", "image", "name", "namespace", "pod"}

func cadvisorDesc(name, help string, extra ...string) *prometheus.Desc {
	return prometheus.NewDesc("container_"+name, help, append(extra, cadvisorLabels...), nil)
}

var failures = cadvisorDesc("memory_failures_total", "Cumulative count of memory allocation failures.", "failure_type", "scope")

// families are all of them, but for network and disks.
var families = []family{
	{cadvisorDesc("cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", "cpu"), prometheus.CounterValue,
		func(u usage) float64 { return u.CPU.Seconds() }, []string{"total"}, true, true},
	{cadvisorDesc("cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds."), prometheus.CounterValue,
		func(u usage) float64 { return u.User.Seconds() }, nil, false, true},
	{cadvisorDesc("cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds."), prometheus.CounterValue,
		func(u usage) float64 { return u.Stats.System.Seconds() }, nil, false, true},
	{cadvisorDesc("cpu_cfs_periods_total", "Number of elapsed enforcement period intervals."), prometheus.CounterValue,
		func(u usage) float64 { return float64(u.Periods) }, nil, false, false},
	{cadvisorDesc("cpu_cfs_throttled_periods_total", "Number of throttled period intervals."), prometheus.CounterValue,
		func(u usage) float64 { return float64(u.ThrottledPeriods) }, nil, false, false},
	{cadvisorDesc("cpu_cfs_throttled_seconds_total", "Total time duration the container has been throttled."), prometheus.CounterValue,
		func(u usage) float64 { return u.ThrottledTime.Seconds() }, nil, false, false},
	{cadvisorDesc("memory_usage_bytes", "Current memory usage in bytes, including all memory regardless of when it was accessed"), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.MemoryUsage) }, nil, true, true},
	{cadvisorDesc("memory_working_set_bytes", "Current working set in bytes."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.WorkingSet) }, nil, true, true},
	{cadvisorDesc("memory_rss", "Size of RSS in bytes."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.RSS) }, nil, true, true},
	{cadvisorDesc("memory_cache", "Number of bytes of page cache memory."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Cache) }, nil, false, true},
	{cadvisorDesc("memory_mapped_file", "Size of memory mapped files in bytes."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Mapped) }, nil, false, true},
	{cadvisorDesc("memory_swap", "Container swap usage in bytes."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Swap) }, nil, false, true},
	{cadvisorDesc("memory_max_usage_bytes", "Maximum memory usage recorded in bytes"), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.MemoryMax) }, nil, false, true},
	{cadvisorDesc("memory_failcnt", "Number of memory usage hits limits"), prometheus.CounterValue,
		func(u usage) float64 { return float64(u.MemoryFailures) }, nil, false, true},
	{failures, prometheus.CounterValue,
		func(u usage) float64 { return float64(u.PageFaults) }, []string{"pgfault", "container"}, false, true},
	{failures, prometheus.CounterValue,
		func(u usage) float64 { return float64(u.MajorFaults) }, []string{"pgmajfault", "container"}, false, true},
	{cadvisorDesc("processes", "Number of processes running inside the container."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Processes) }, nil, false, true},
	{cadvisorDesc("start_time_seconds", "Start time of the container since unix epoch in seconds."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Started.UnixNano()) / float64(time.Second) }, nil, false, true},
	{cadvisorDesc("last_seen", "Last time a container was seen by the exporter"), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Time.Unix()) }, nil, true, true},
	{cadvisorDesc("spec_cpu_shares", "CPU share of the container."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Share.Weight) }, nil, false, false},
	{cadvisorDesc("spec_cpu_quota", "CPU quota of the container."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Share.Quota) }, nil, false, false},
	{cadvisorDesc("spec_cpu_period", "CPU period of the container."), prometheus.GaugeValue,
		func(usage) float64 { return pod.CPUPeriod }, nil, false, true},
	{cadvisorDesc("spec_memory_limit_bytes", "Memory limit for the container."), prometheus.GaugeValue,
		func(u usage) float64 { return float64(u.Share.Memory) }, nil, false, true},
	{cadvisorDesc("fs_reads_bytes_total", "Cumulative count of bytes read", "device"), prometheus.CounterValue,
		func(u usage) float64 { return float64(u.ReadBytes) }, []string{""}, false, true},
	{cadvisorDesc("fs_writes_bytes_total", "Cumulative count of bytes written", "device"), prometheus.CounterValue,
		func(u usage) float64 { return float64(u.WrittenBytes) }, []string{""}, false, true},
	{cadvisorDesc("fs_reads_total", "Cumulative count of reads completed", "device"), prometheus.CounterValue,
		func(u usage) float64 { return float64(u.Reads) }, []string{""}, false, true},
	{cadvisorDesc("fs_writes_total", "Cumulative count of writes completed", "device"), prometheus.CounterValue,
		func(u usage) float64 { return float64(u.Writes) }, []string{""}, false, true},
}

var (
	cadvisorFailed = prometheus.NewDesc("container_scrape_error", "1 if there was an error while getting container metrics, 0 otherwise", nil, nil)
	machineCores   = prometheus.NewDesc("machine_cpu_cores", "Number of logical CPU cores.", nil, nil)
	machineMemory  = prometheus.NewDesc("machine_memory_bytes", "Amount of memory installed on the machine.", nil, nil)
)

// Describe implements prometheus.Collector. The collector is unchecked: what there is depends on the containers.
func (c cadvisor) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c cadvisor) Collect(out chan<- prometheus.Metric) {
	if c.failed {
		out <- prometheus.MustNewConstMetric(cadvisorFailed, prometheus.GaugeValue, 1)
		return
	}
	out <- prometheus.MustNewConstMetric(cadvisorFailed, prometheus.GaugeValue, 0)
	out <- prometheus.MustNewConstMetric(machineCores, prometheus.GaugeValue, float64(runtime.NumCPU()))
	out <- prometheus.MustNewConstMetric(machineMemory, prometheus.GaugeValue, float64(c.measurement.node.MemoryLimit))
	machine := usage{Stats: c.measurement.node}
	for _, f := range families {
		if f.node {
			tell(out, f.desc, f.kind, f.value(machine), machine, []string{"", "/", "", "", "", ""}, f.extra...)
		}
		for _, u := range c.all {
			if v := f.value(u); f.every || v != 0 {
				tell(out, f.desc, f.kind, v, u, labelsOf(u), f.extra...)
			}
		}
	}
	c.storage(out)
	for _, u := range c.all {
		connections(out, u)
	}
}

// labelsOf are a container's; a sandbox has no name of its own. Its id is that of its control group.
func labelsOf(u usage) []string {
	id := u.Group
	if id == "" {
		id = "/" + u.ID // the engine does not tell
	}
	return []string{u.Name, id, u.Image, u.ID, u.PodNamespace, u.PodName}
}

// tell sends a value with the time at which it was measured.
func tell(out chan<- prometheus.Metric, d *prometheus.Desc, kind prometheus.ValueType, v float64, u usage, labels []string, extra ...string) {
	m := prometheus.MustNewConstMetric(d, kind, v, append(append([]string{}, extra...), labels...)...)
	out <- prometheus.NewMetricWithTimestamp(u.Time, m)
}
