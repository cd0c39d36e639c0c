package scheduler

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// podDisks are a pod's volumes that other pods of the same node may be in the way of.
func podDisks(pod *corev1.Pod) (disks []*corev1.Volume) {
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if v.GCEPersistentDisk != nil || v.AWSElasticBlockStore != nil || v.ISCSI != nil || v.RBD != nil {
			disks = append(disks, v)
		}
	}
	return disks
}

// conflicts tells that two volumes are one disk, which only those can share who read it, if any.
func conflicts(a, b *corev1.Volume) bool {
	switch {
	case a.GCEPersistentDisk != nil && b.GCEPersistentDisk != nil:
		a, b := a.GCEPersistentDisk, b.GCEPersistentDisk
		return a.PDName == b.PDName && (!a.ReadOnly || !b.ReadOnly)
	case a.AWSElasticBlockStore != nil && b.AWSElasticBlockStore != nil:
		return a.AWSElasticBlockStore.VolumeID == b.AWSElasticBlockStore.VolumeID
	case a.ISCSI != nil && b.ISCSI != nil:
		return a.ISCSI.IQN == b.ISCSI.IQN && (!a.ISCSI.ReadOnly || !b.ISCSI.ReadOnly)
	case a.RBD != nil && b.RBD != nil:
		a, b := a.RBD, b.RBD
		common := slices.ContainsFunc(a.CephMonitors, func(m string) bool { return slices.Contains(b.CephMonitors, m) })
		return common && a.RBDPool == b.RBDPool && a.RBDImage == b.RBDImage && (!a.ReadOnly || !b.ReadOnly)
	}
	return false
}

func conflictsWith(a *corev1.Volume) func(*corev1.Volume) bool {
	return func(b *corev1.Volume) bool { return conflicts(a, b) }
}

// takesDisk tells whether a pod of the node has one of the pod's disks.
func takesDisk(d *decision, n *nodeInfo) bool {
	for _, want := range d.pod.disks {
		for _, q := range n.pods {
			if slices.ContainsFunc(q.disks, conflictsWith(want)) {
				return true
			}
		}
	}
	return false
}

func checkRestrictions(d *decision, n *nodeInfo) bool {
	return !d.volumes.inUse && (len(d.pod.disks) == 0 || !takesDisk(d, n))
}

func explainRestrictions(d *decision, n *nodeInfo) []string {
	if takesDisk(d, n) {
		return []string{"node(s) had no available disk"}
	}
	return []string{"node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"}
}

// claimsOf are the claims that a pod names.
func claimsOf(pod *corev1.Pod) (names []string) {
	for i := range pod.Spec.Volumes {
		if claim := pod.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
			names = append(names, claim.ClaimName)
		}
	}
	return names
}

// countClaims notes that a placed pod has its claims, or has them no longer.
func (c *cluster) countClaims(pod *corev1.Pod, times int) {
	for _, name := range claimsOf(pod) {
		key := pod.Namespace + "/" + name
		if c.claims[key] += times; c.claims[key] == 0 {
			delete(c.claims, key)
		}
	}
}
