package nodeapi

import (
	"github.com/prometheus/client_golang/prometheus"

	"leme/nodeagent/pod"
)

var (
	fsUsage  = cadvisorDesc("fs_usage_bytes", "Number of bytes that are consumed by the container on this filesystem.", "device")
	fsLimit  = cadvisorDesc("fs_limit_bytes", "Number of bytes that can be consumed by the container on this filesystem.", "device")
	fsInodes = cadvisorDesc("fs_inodes_total", "Number of Inodes", "device")
	fsFree   = cadvisorDesc("fs_inodes_free", "Number of available Inodes", "device")
)

// storage tells of the disk that containers write to, as far as it is known.
func (c cadvisor) storage(out chan<- prometheus.Metric) {
	if c.images != nil {
		machine := usage{Stats: pod.Stats{Time: c.disks.at}}
		for desc, v := range map[*prometheus.Desc]int64{
			fsUsage: c.images.Total - c.images.Free, fsLimit: c.images.Total, fsInodes: c.images.Inodes, fsFree: c.images.InodesFree,
		} {
			tell(out, desc, prometheus.GaugeValue, float64(v), machine, []string{"", "/", "", "", "", ""}, "")
		}
	}
	for _, u := range c.all {
		if s, ok := c.stored[u.ID]; ok {
			of := u
			of.Time = s.at
			tell(out, fsUsage, prometheus.GaugeValue, float64(s.layer.Bytes), of, labelsOf(u), "")
		}
	}
}

// interfaceFamily is a metric of interfaces.
type interfaceFamily struct {
	desc  *prometheus.Desc
	value func(pod.InterfaceStats) uint64
}

func interfaceDesc(name, help string) *prometheus.Desc {
	return cadvisorDesc("network_"+name, help, "interface")
}

var interfaceFamilies = []interfaceFamily{
	{interfaceDesc("receive_bytes_total", "Cumulative count of bytes received"), func(i pod.InterfaceStats) uint64 { return i.Received }},
	{interfaceDesc("receive_packets_total", "Cumulative count of packets received"), func(i pod.InterfaceStats) uint64 { return i.ReceivedPackets }},
	{interfaceDesc("receive_errors_total", "Cumulative count of errors encountered while receiving"), func(i pod.InterfaceStats) uint64 { return i.ReceiveErrors }},
	{interfaceDesc("receive_packets_dropped_total", "Cumulative count of packets dropped while receiving"), func(i pod.InterfaceStats) uint64 { return i.ReceivesDropped }},
	{interfaceDesc("transmit_bytes_total", "Cumulative count of bytes transmitted"), func(i pod.InterfaceStats) uint64 { return i.Sent }},
	{interfaceDesc("transmit_packets_total", "Cumulative count of packets transmitted"), func(i pod.InterfaceStats) uint64 { return i.SentPackets }},
	{interfaceDesc("transmit_errors_total", "Cumulative count of errors encountered while transmitting"), func(i pod.InterfaceStats) uint64 { return i.SendErrors }},
	{interfaceDesc("transmit_packets_dropped_total", "Cumulative count of packets dropped while transmitting"), func(i pod.InterfaceStats) uint64 { return i.SendsDropped }},
}

// connections tells of a pod's network, which is its sandbox's.
func connections(out chan<- prometheus.Metric, u usage) {
	for _, i := range u.Interfaces {
		for _, f := range interfaceFamilies {
			tell(out, f.desc, prometheus.CounterValue, float64(f.value(i)), u, labelsOf(u), i.Name)
		}
	}
}
