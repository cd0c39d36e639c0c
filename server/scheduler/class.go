package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// class is the placed pods that no rule about other pods can tell apart: of one namespace, with the same labels. What a
// rule counts it asks of classes, which are few, and not of pods.
type class struct {
	namespace string
	labels    labels.Set
	on        map[*nodeInfo]presence
	tallies   []*tally // those that count its pods

	// Of the groups of terms that are about these pods, as of a generation of them.
	groups     []*group
	generation uint64
}

// presence is how many pods of a class are on one node.
type presence struct {
	all    int64
	living int64 // those that are not being deleted
}

// classKey names the class of a pod.
func classKey(pod *corev1.Pod) string { return pod.Namespace + "/" + labels.Set(pod.Labels).String() }

// classOf returns the class that a pod is or would be in. It is kept only while pods of it are placed.
func (c *cluster) classOf(p *podInfo) *class {
	if k := c.classes[p.class]; k != nil {
		return k
	}
	return &class{namespace: p.pod.Namespace, labels: p.pod.Labels}
}

// enter counts a placed pod in everything that rules about pods ask for.
func (c *cluster) enter(p *podInfo, n *nodeInfo) {
	k := c.classes[p.class]
	if k == nil {
		k = &class{namespace: p.pod.Namespace, labels: p.pod.Labels, on: make(map[*nodeInfo]presence, 1)}
		c.classes[p.class] = k
		for _, t := range c.tallies {
			if t.about(k) {
				k.tallies = append(k.tallies, t)
			}
		}
	}
	c.shift(k, p, n, 1)
}

// leave undoes enter.
func (c *cluster) leave(p *podInfo, n *nodeInfo) {
	k := c.classes[p.class]
	c.shift(k, p, n, -1)
	if len(k.on) == 0 {
		delete(c.classes, p.class)
	}
}

// shift adds times of a pod on a node.
func (c *cluster) shift(k *class, p *podInfo, n *nodeInfo, times int64) {
	living := times
	if p.pod.DeletionTimestamp != nil {
		living = 0
	}
	at := k.on[n]
	at.all += times
	at.living += living
	if at.all == 0 {
		delete(k.on, n)
	} else {
		k.on[n] = at
	}
	for _, t := range k.tallies {
		if t.living {
			t.add(n, living)
		} else {
			t.add(n, times)
		}
	}
	c.shiftGroups(p, n, times)
}
