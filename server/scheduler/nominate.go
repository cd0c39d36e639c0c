package scheduler

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// A pod is nominated for the node on which others have to go for it. Until it is there, pods of lower priority fit on
// that node only where they fit beside it too.

// nominate takes a pod down for a node, and no longer for another.
func (c *cluster) nominate(p *podInfo, node string) {
	c.unnominate(p.uid)
	n := c.node(node)
	n.nominated[p.uid] = p
	c.nominations[p.uid] = n
}

func (c *cluster) unnominate(uid types.UID) {
	if n := c.nominations[uid]; n != nil {
		delete(c.nominations, uid)
		delete(n.nominated, uid)
		c.drop(n)
	}
}

// nominatedNode is the node that a pod is nominated for, when it is there.
func (c *cluster) nominatedNode(uid types.UID) *nodeInfo {
	if n := c.nominations[uid]; n != nil && n.node != nil {
		return n
	}
	return nil
}

// nomination is the name of the node that a pod is nominated for; empty: none.
func (c *cluster) nomination(uid types.UID) string {
	if n := c.nominations[uid]; n != nil {
		return n.name
	}
	return ""
}

// besideNominated looks at a node as it will be with those on it that are nominated for it and not of lower priority.
func (d *decision) besideNominated(n *nodeInfo, look func()) {
	c, p := d.cluster, d.pod
	var coming []*podInfo
	for _, q := range n.nominated {
		if q.uid != p.uid && q.priority >= p.priority {
			coming = append(coming, q)
		}
	}
	if len(coming) == 0 {
		return
	}
	before := *d
	before.hard = slices.Clone(d.hard)
	for _, q := range coming {
		c.place(q, n.name)
	}
	newDecision(c, before.profile, p) // in the same place as d
	look()
	for _, q := range coming {
		c.removePod(q.uid)
	}
	*d = before
}
