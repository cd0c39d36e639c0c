package nodeapi

import (
	"context"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/storage/ephemeral"

	"leme/nodeagent/disk"
	"leme/nodeagent/volume"
)

// volumeUse is what a volume of a pod takes of the file system that it is on.
type volumeUse struct {
	name, claim string // claim is empty for volumes that are the pod's own
	at          time.Time
	space       disk.Space
	used        disk.Usage
}

func (u volumeUse) summary(namespace string) volumeSummary {
	s := volumeSummary{Name: u.name, fsSummary: *usedOf(u.at, &u.space, u.used)}
	if u.claim != "" {
		s.PVCRef = &claimReference{Name: u.claim, Namespace: namespace}
	}
	return s
}

// measureVolumes looks at the volumes of all pods that run here. One that cannot be looked at in time is as it was.
func measureVolumes(ctx context.Context, pods Pods, before map[types.UID][]volumeUse) map[types.UID][]volumeUse {
	found := map[types.UID][]volumeUse{}
	for _, p := range pods.List() {
		paths := pods.Volumes(p.UID)
		for i := range p.Spec.Volumes {
			v := &p.Spec.Volumes[i]
			path := paths[v.Name]
			if path == "" || v.HostPath != nil || isDevice(path) { // the host's own, or no file system
				continue
			}
			if u, ok := measureVolume(ctx, v.Name, claimOf(p, v), path); ok {
				found[p.UID] = append(found[p.UID], u)
			} else if old, ok := named(before[p.UID], v.Name); ok {
				found[p.UID] = append(found[p.UID], old)
			}
		}
	}
	return found
}

func isDevice(path string) bool {
	info, err := os.Stat(path)
	return err == nil && volume.IsBlockDevice(info)
}

// measureVolume takes a claim's volume for the whole of its file system, as the kubelet does with local ones.
func measureVolume(ctx context.Context, name, claim, path string) (volumeUse, bool) {
	space, err := disk.Of(path)
	if err != nil {
		return volumeUse{}, false
	}
	u := volumeUse{name: name, claim: claim, at: time.Now(), space: space}
	if claim != "" {
		u.used = disk.Usage{Bytes: space.Total - space.Free, Inodes: space.Inodes - space.InodesFree}
		return u, true
	}
	u.used, err = disk.Used(ctx, path)
	return u, err == nil
}

func named(list []volumeUse, name string) (volumeUse, bool) {
	for _, u := range list {
		if u.name == name {
			return u, true
		}
	}
	return volumeUse{}, false
}

// claimOf names the claim of a volume; empty when it has none.
func claimOf(p *corev1.Pod, v *corev1.Volume) string {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName
	case v.Ephemeral != nil:
		return ephemeral.VolumeClaimName(p, v)
	}
	return ""
}

var claimLabels = []string{"namespace", "persistentvolumeclaim"}

// claimMetrics are the kubelet's names of what there is of claims' volumes.
var claimMetrics = []struct {
	desc  *prometheus.Desc
	value func(volumeUse) int64
}{
	{claimMetric("capacity_bytes", "Capacity in bytes of the volume"), func(u volumeUse) int64 { return u.space.Total }},
	{claimMetric("available_bytes", "Number of available bytes in the volume"), func(u volumeUse) int64 { return u.space.Free }},
	{claimMetric("used_bytes", "Number of used bytes in the volume"), func(u volumeUse) int64 { return u.used.Bytes }},
	{claimMetric("inodes", "Maximum number of inodes in the volume"), func(u volumeUse) int64 { return u.space.Inodes }},
	{claimMetric("inodes_free", "Number of free inodes in the volume"), func(u volumeUse) int64 { return u.space.InodesFree }},
	{claimMetric("inodes_used", "Number of used inodes in the volume"), func(u volumeUse) int64 { return u.used.Inodes }},
}

func claimMetric(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("kubelet_volume_stats_"+name, help, claimLabels, nil)
}

// claimVolumes collects the volumes of claims that pods here use, each once.
type claimVolumes struct {
	pods Pods
	of   map[types.UID][]volumeUse
}

// Describe implements prometheus.Collector.
func (c claimVolumes) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range claimMetrics {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c claimVolumes) Collect(ch chan<- prometheus.Metric) {
	told := map[[2]string]bool{}
	for _, p := range c.pods.List() {
		for _, u := range c.of[p.UID] {
			claim := [2]string{p.Namespace, u.claim}
			if u.claim == "" || told[claim] {
				continue
			}
			told[claim] = true
			for _, m := range claimMetrics {
				ch <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, float64(m.value(u)), claim[:]...)
			}
		}
	}
}
