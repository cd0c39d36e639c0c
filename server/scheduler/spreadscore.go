package scheduler

import (
	"math"

	corev1 "k8s.io/api/core/v1"
)

// Constraints that are wishes are scored by how many matching pods there are around a node: few are better. Of a
// topology with many domains a pod more counts more, so that small topologies are not watered down by large ones.

// countWishes counts for the nodes that are compared; false when the pod has no such constraints.
func (d *decision) countWishes(nodes []*nodeInfo) bool {
	d.soft = d.soft[:0]
	terms := d.spread(false)
	if len(terms) == 0 {
		return false
	}
	// The system's constraints hold on nodes without a zone too: pods are at least spread over hosts.
	d.softKeys = nil
	if len(d.pod.spread) > 0 || !d.profile.systemSpread {
		d.softKeys = spreadKeys(terms)
	}
	for i := range terms {
		count := spreadCount{spreadTerm: &terms[i], tally: d.spreadTally(&terms[i], d.softKeys)}
		count.weight = math.Log(float64(d.domainsOf(terms[i].key, nodes) + 2))
		d.soft = append(d.soft, count)
	}
	return true
}

// domainsOf is how many domains of a topology the nodes that count are in.
func (d *decision) domainsOf(key string, nodes []*nodeInfo) int {
	if key == corev1.LabelHostname && d.softKeys == nil {
		return len(nodes)
	}
	seen, hosts := d.cluster.scratch.values, 0
	clear(seen)
	last, any := "", false
	for _, n := range nodes {
		if !hasAll(n.node, d.softKeys) {
			continue
		}
		hosts++
		if value := n.node.Labels[key]; !any || value != last { // neighbours are often in one domain
			last, any = value, true
			seen[value] = true
		}
	}
	if key == corev1.LabelHostname {
		return hosts
	}
	return len(seen)
}

func scoreSpread(d *decision, n *nodeInfo) int64 {
	if !hasAll(n.node, d.softKeys) {
		return 0
	}
	var sum float64
	for i := range d.soft {
		c := &d.soft[i]
		value, ok := n.node.Labels[c.spreadTerm.key]
		if !ok {
			continue
		}
		pods := c.on[n]
		if c.spreadTerm.key != corev1.LabelHostname {
			pods = c.pods(value)
		}
		sum += float64(pods)*c.weight + float64(c.maxSkew-1)
	}
	return int64(math.Round(sum))
}

// scaleSpread gives the node with the fewest the most; one outside of the domains gets nothing.
func scaleSpread(d *decision, nodes []*nodeInfo, raw []int64) {
	least, most := int64(math.MaxInt64), int64(0)
	for i, r := range raw {
		if hasAll(nodes[i].node, d.softKeys) {
			least, most = min(least, r), max(most, r)
		}
	}
	for i, r := range raw {
		switch {
		case !hasAll(nodes[i].node, d.softKeys):
			raw[i] = 0
		case most == 0:
			raw[i] = maxScore
		default:
			raw[i] = maxScore * (most + least - r) / most
		}
	}
}
