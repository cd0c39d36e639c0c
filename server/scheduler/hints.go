package scheduler

import (
	"slices"

	"k8s.io/apimachinery/pkg/labels"
)

// happening is a change in the cluster, as far as it may help pods that were refused.
type happening struct {
	change change
	node   *nodeInfo // that came or changed; nil: it went, or it is about something else
	pod    *podInfo  // that came to a node or left it
}

// helps tells whether a change may let a refused pod pass one of the filters that refuse it. It may err on the side of
// yes: then the pod is tried in vain.
func (c *cluster) helps(pr *profile, w *waiter, h happening) bool {
	d := &decision{cluster: c, profile: pr, pod: w.info}
	return slices.ContainsFunc(w.refusedBy, func(f *filter) bool {
		return f.wake&h.change != 0 && (f.hint == nil || f.hint(d, h))
	})
}

// nodePasses: a filter that looks at a node alone is passed on that node or not at all.
func nodePasses(check func(*decision, *nodeInfo) bool) func(*decision, happening) bool {
	return func(d *decision, h happening) bool { return h.node != nil && check(d, h.node) }
}

// freesPort: a port is free on a node that comes, or when a pod goes that has it.
func freesPort(d *decision, h happening) bool {
	if h.pod == nil {
		return h.node != nil
	}
	return slices.ContainsFunc(d.pod.ports, func(want hostPort) bool {
		return slices.ContainsFunc(h.pod.ports, want.conflicts)
	})
}

// makesRoom: there is room on a node that is large enough, or when any pod goes.
func makesRoom(d *decision, h happening) bool {
	return h.pod != nil || h.node != nil && fitsAlone(d, h.node)
}

// freesDisk: a disk or a claim is free when a pod goes that has it.
func freesDisk(d *decision, h happening) bool {
	if h.pod == nil {
		return h.node != nil
	}
	for _, want := range d.pod.disks {
		if slices.ContainsFunc(h.pod.disks, conflictsWith(want)) {
			return true
		}
	}
	return h.pod.pod.Namespace == d.pod.pod.Namespace && slices.ContainsFunc(claimsOf(h.pod.pod), func(name string) bool {
		return slices.Contains(claimsOf(d.pod.pod), name)
	})
}

// detaches: a volume may be attached when a pod goes that has some.
func detaches(_ *decision, h happening) bool { return h.pod == nil || len(claimsOf(h.pod.pod)) > 0 }

// changesSpread: the pods that a constraint counts are more or fewer, or the domains.
func changesSpread(d *decision, h happening) bool {
	if h.pod == nil {
		return true
	}
	return h.pod.pod.Namespace == d.pod.pod.Namespace && slices.ContainsFunc(d.spread(true), func(t spreadTerm) bool {
		return t.selector.Matches(labels.Set(h.pod.pod.Labels))
	})
}

// changesNeighbours: there is somebody to be near to, or nobody any more to keep away from.
func changesNeighbours(d *decision, h happening) bool {
	if h.pod == nil {
		return h.node != nil
	}
	other, own := &class{namespace: h.pod.pod.Namespace, labels: h.pod.pod.Labels}, d.cluster.classOf(d.pod)
	about := func(terms []podTerm, k *class) bool {
		return slices.ContainsFunc(terms, func(t podTerm) bool { return t.about(k, d.cluster.namespaceLabels) })
	}
	if h.change == podPlaced {
		return about(d.pod.affinity.near, other)
	}
	return about(d.pod.affinity.avoid, other) || about(h.pod.affinity.avoid, own)
}
