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
		d.soft = append(d.soft, spreadCount{spreadTerm: &terms[i], tally: d.spreadTally(&terms[i], d.softKeys)})
	}
	for i := range d.soft {
		d.soft[i].weight = math.Log(float64(d.domainsOf(&d.soft[i], nodes) + 2))
	}
	return true
}

// domainsOf is how many domains of a topology the nodes are in that count.
func (d *decision) domainsOf(c *spreadCount, nodes []*nodeInfo) int {
	domains, hosts, strays := 0, 0, 0
	for _, n := range nodes {
		if !d.inSoftDomains(n) {
			continue
		}
		hosts++
		switch at := c.at[n.slot].domain; {
		case at == nil:
			strays = 1 // all without the label are one
		case at.seen != d.cluster.decisions:
			at.seen = d.cluster.decisions
			domains++
		}
	}
	if c.spreadTerm.key == corev1.LabelHostname {
		return hosts
	}
	return domains + strays
}

// inSoftDomains tells whether a node has the labels of the constraints that are wishes, where it must.
func (d *decision) inSoftDomains(n *nodeInfo) bool {
	if d.softKeys == nil {
		return true
	}
	for i := range d.soft {
		if !d.soft[i].knows(n) {
			return false
		}
	}
	return true
}

func scoreSpread(d *decision, n *nodeInfo) int64 {
	if !d.inSoftDomains(n) {
		return 0
	}
	var sum float64
	for i := range d.soft {
		c := &d.soft[i]
		at := &c.at[n.slot]
		if at.domain == nil {
			continue
		}
		pods := at.pods
		if c.spreadTerm.key != corev1.LabelHostname {
			pods = at.domain.pods
		}
		sum += float64(pods)*c.weight + float64(c.maxSkew-1)
	}
	return int64(math.Round(sum))
}

// scaleSpread gives the node with the fewest the most; one outside of the domains gets nothing.
func scaleSpread(d *decision, nodes []*nodeInfo, raw []int64) {
	least, most := int64(math.MaxInt64), int64(0)
	for i, r := range raw {
		if d.inSoftDomains(nodes[i]) {
			least, most = min(least, r), max(most, r)
		}
	}
	for i, r := range raw {
		switch {
		case !d.inSoftDomains(nodes[i]):
			raw[i] = 0
		case most == 0:
			raw[i] = maxScore
		default:
			raw[i] = maxScore * (most + least - r) / most
		}
	}
}
