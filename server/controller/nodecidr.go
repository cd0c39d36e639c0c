package controller

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
)

const (
	nodeBits      = 24 // each node's part of the pods' range
	cidrTriesNext = time.Minute
)

// nodeCIDRs gives each node its part of the pods' address range.
type nodeCIDRs struct {
	pods   netip.Prefix
	nodes  resource.Typed[*corev1.Node]
	events *event.Source
}

func newNodeCIDRs(e *environment) component {
	c := &nodeCIDRs{
		pods:   e.pods,
		nodes:  resource.For[*corev1.Node](e.api, kind.Node, "system:controller:node-ipam"),
		events: e.events.From("cidrAllocator"),
	}
	return &loop[objectKey]{
		name:      "nodecidr",
		workers:   1, // two at a time could give the same range
		sources:   []source[objectKey]{{of(e.api, kind.Node), itself}},
		reconcile: c.reconcile,
	}
}

func (c *nodeCIDRs) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	node, ok := c.nodes.Get("", key.Name)
	if !ok || node.Spec.PodCIDR != "" {
		return 0, nil
	}
	used := make(map[string]bool)
	for _, n := range c.nodes.List("", nil) {
		used[n.Spec.PodCIDR] = true
	}
	free, ok := freeCIDR(c.pods, used)
	if !ok {
		c.events.Warning(node, "CIDRNotAvailable", "Node %s has no pod addresses: all of %s is given out", node.Name, c.pods)
		return cidrTriesNext, nil
	}
	_, err := c.nodes.Update(ctx, "", node.Name, func(n *corev1.Node) error {
		if n.Spec.PodCIDR == "" {
			n.Spec.PodCIDR, n.Spec.PodCIDRs = free, []string{free}
		}
		return nil
	})
	if err = ignoreGone(err); err != nil {
		return 0, fmt.Errorf("giving node %s its addresses: %w", node.Name, err)
	}
	return 0, nil
}

// freeCIDR returns the first /24 of an IPv4 range that is not used.
func freeCIDR(all netip.Prefix, used map[string]bool) (string, bool) {
	base := all.Masked().Addr().As4()
	first := binary.BigEndian.Uint32(base[:])
	for i := range uint32(1) << (nodeBits - all.Bits()) {
		var part [4]byte
		binary.BigEndian.PutUint32(part[:], first+i<<(32-nodeBits))
		if cidr := netip.PrefixFrom(netip.AddrFrom4(part), nodeBits).String(); !used[cidr] {
			return cidr, true
		}
	}
	return "", false
}
