package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/storage/ephemeral"
	volumehelper "k8s.io/component-helpers/storage/volume"
)

// csiVolume is a volume as its driver knows it. One whose volume is yet to be made has its claim's name as the handle.
type csiVolume struct{ driver, handle string }

// csiVolumes adds those of a pod's volumes that a CSI driver brings to a set.
func (c *cluster) csiVolumes(pod *corev1.Pod, into map[csiVolume]bool) {
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		var name string
		switch {
		case v.PersistentVolumeClaim != nil:
			name = v.PersistentVolumeClaim.ClaimName
		case v.Ephemeral != nil:
			name = ephemeral.VolumeClaimName(pod, v)
		default:
			continue
		}
		if claim, ok := c.storage.Claim(pod.Namespace, name); ok {
			if volume, ok := c.csiVolume(claim); ok {
				into[volume] = true
			}
		}
	}
}

func (c *cluster) csiVolume(claim *corev1.PersistentVolumeClaim) (csiVolume, bool) {
	if claim.Spec.VolumeName == "" {
		class, ok := c.storage.Class(volumehelper.GetPersistentVolumeClaimClass(claim))
		if !ok {
			return csiVolume{}, false
		}
		return csiVolume{class.Provisioner, "claim " + claim.Namespace + "/" + claim.Name}, true
	}
	pv, ok := c.storage.Volume(claim.Spec.VolumeName)
	if !ok || pv.Spec.CSI == nil {
		return csiVolume{}, false
	}
	return csiVolume{pv.Spec.CSI.Driver, pv.Spec.CSI.VolumeHandle}, true
}

// checkLimits tells whether a node can attach the pod's volumes beside those that it has. A volume of several pods is
// attached once.
func checkLimits(d *decision, n *nodeInfo) bool {
	if len(d.volumes.csi) == 0 {
		return true
	}
	limits := d.cluster.storage.Limits(n.name)
	if len(limits) == 0 {
		return true
	}
	attached := make(map[csiVolume]bool)
	for _, q := range n.pods {
		d.cluster.csiVolumes(q.pod, attached)
	}
	for _, v := range d.attachments(n.name) {
		attached[v] = true
	}
	used, more := make(map[string]int64), make(map[string]int64)
	for v := range attached {
		used[v.driver]++
	}
	for v := range d.volumes.csi {
		if !attached[v] {
			more[v.driver]++
		}
	}
	for driver, count := range more {
		if limit, ok := limits[driver]; ok && used[driver]+count > limit {
			return false
		}
	}
	return true
}

// attachments are the volumes that a node has attached, or is about to, whoever needs them.
func (d *decision) attachments(node string) []csiVolume {
	if d.volumes.attached == nil {
		d.volumes.attached = d.cluster.storage.Attachments()
	}
	return d.volumes.attached[node]
}
