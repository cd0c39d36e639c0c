package scheduler

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// zoneLabels are the labels by which a volume says where it can be reached, each with the one that replaced it.
var zoneLabels = []struct{ key, now string }{
	{corev1.LabelFailureDomainBetaZone, corev1.LabelTopologyZone},
	{corev1.LabelFailureDomainBetaRegion, corev1.LabelTopologyRegion},
	{corev1.LabelTopologyZone, corev1.LabelTopologyZone},
	{corev1.LabelTopologyRegion, corev1.LabelTopologyRegion},
}

const zonesDelimiter = "__" // in a label that names several

// checkZones tells whether the pod's volumes can be reached from a node's zone and region. A node that says nothing of
// either is in the only one that there is.
func checkZones(d *decision, n *nodeInfo) bool {
	if len(d.volumes.bound) == 0 || !slices.ContainsFunc(zoneLabels, func(l struct{ key, now string }) bool { _, ok := n.node.Labels[l.key]; return ok }) {
		return true
	}
	return !slices.ContainsFunc(d.volumes.bound, func(pv *corev1.PersistentVolume) bool { return !reaches(n.node, pv) })
}

func reaches(node *corev1.Node, pv *corev1.PersistentVolume) bool {
	for _, l := range zoneLabels {
		zones, ok := zonesOf(pv.Labels[l.key])
		if !ok {
			continue
		}
		here, ok := node.Labels[l.key]
		if !ok {
			here, ok = node.Labels[l.now]
		}
		if !ok || !slices.Contains(zones, here) {
			return false
		}
	}
	return true
}

// zonesOf are the zones that a label names; one that names none is no label.
func zonesOf(label string) ([]string, bool) {
	zones := strings.Split(label, zonesDelimiter)
	for i := range zones {
		if zones[i] = strings.TrimSpace(zones[i]); zones[i] == "" {
			return nil, false
		}
	}
	return zones, true
}
