package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// makeRoom looks for pods of lower priority that a refused pod can take the place of, and nominates it for their node.
// What is to be written is left in the outcome; what came of it is told in the refusal.
func (s *state) makeRoom(pr *profile, p *podInfo, o *outcome) {
	c := s.cluster
	defer func() { o.nominated = c.nomination(p.uid) }()
	if len(c.nodes) == 0 || !pr.preempt {
		return
	}
	var why string
	switch {
	case ptr.Deref(p.pod.Spec.PreemptionPolicy, "") == corev1.PreemptNever:
		why = "not eligible due to preemptionPolicy=Never."
	case s.awaitsVictims(p, o.refused):
		why = "not eligible due to a terminating pod on the nominated node."
	default:
		var found *preemption
		if found, why = c.preempt(pr, p, o.refused.crowded, s.budgets()); found == nil {
			c.unnominate(p.uid)
		} else {
			s.nominate(p, found, o)
		}
	}
	if why != "" {
		o.refused.message += " preemption: " + why
	}
}

// awaitsVictims tells whether pods are on their way out already for this one.
func (s *state) awaitsVictims(p *podInfo, r *refusal) bool {
	n := s.cluster.nominatedNode(p.uid)
	if n == nil || !r.isCrowded(n) {
		return false
	}
	for _, q := range n.pods {
		if q.priority < p.priority && (s.evicted[q.uid] == p.uid || endsForAnother(q.pod)) {
			return true
		}
	}
	return false
}

func (r *refusal) isCrowded(n *nodeInfo) bool {
	for _, c := range r.crowded {
		if c == n {
			return true
		}
	}
	return false
}

// endsForAnother tells a pod that is being deleted to make room.
func endsForAnother(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp == nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget {
			return c.Status == corev1.ConditionTrue && c.Reason == corev1.PodReasonPreemptionByScheduler
		}
	}
	return false
}

// nominate gives a pod the place of others, before those of lower priority that wait for the same.
func (s *state) nominate(p *podInfo, found *preemption, o *outcome) {
	c := s.cluster
	for _, q := range c.node(found.node).nominated {
		if q.priority < p.priority {
			o.displaced = append(o.displaced, q.pod)
			c.unnominate(q.uid)
			s.queue.wakeOne(q.uid)
		}
	}
	c.nominate(p, found.node)
	for _, v := range found.victims {
		if v.pod.DeletionTimestamp == nil {
			s.evicted[v.uid] = p.uid
			o.victims = append(o.victims, v.pod)
		}
	}
}

// followNomination takes over what a pod's status says of the node that it is nominated for, when that has changed.
func (s *state) followNomination(p *podInfo) {
	before := ""
	if w := s.queue.known[p.uid]; w != nil {
		before = w.info.pod.Status.NominatedNodeName
	}
	now := p.pod.Status.NominatedNodeName
	if now == before {
		now = s.cluster.nomination(p.uid) // with the pod's new state
	}
	if now == "" {
		s.cluster.unnominate(p.uid)
	} else {
		s.cluster.nominate(p, now)
	}
}

// notEvicted takes back a nomination whose victims could not all be made to go.
func (s *state) notEvicted(uid types.UID, victims []*corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range victims {
		if s.evicted[v.UID] == uid {
			delete(s.evicted, v.UID)
		}
	}
	s.cluster.unnominate(uid)
	s.queue.wakeOne(uid)
	s.signal()
}
