package controller

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// daemonSetPlan is the next step of a DaemonSet.
type daemonSetPlan struct {
	create []string // names of nodes
	remove []*corev1.Pod
	failed []string // nodes whose pod failed and is replaced now
	status appsv1.DaemonSetStatus
	again  time.Duration
}

func (p daemonSetPlan) String() string {
	var parts []string
	for _, node := range p.create {
		parts = append(parts, "create on "+node)
	}
	for _, pod := range p.remove {
		parts = append(parts, "delete "+pod.Name)
	}
	return strings.Join(parts, ", ")
}

// daemonView is a DaemonSet, the nodes and its pods at one moment.
type daemonView struct {
	ds       *appsv1.DaemonSet
	hash     string // of the revision that pods should have
	now      time.Time
	nodes    []*corev1.Node
	wanted   map[string]daemonPlace // by node
	pods     map[string][]*corev1.Pod
	minReady time.Duration
	// patience is how long a failed pod on a node is left alone, so that nobody fights over it.
	patience func(node string) time.Duration
}

// planDaemonSet compares a DaemonSet with the pods that it owns on the nodes that there are. First each node gets what
// it is to have; pods of older revisions are replaced when that is done.
func planDaemonSet(ds *appsv1.DaemonSet, nodes []*corev1.Node, owned []*corev1.Pod, hash string, patience func(string) time.Duration, now time.Time) daemonSetPlan {
	v := &daemonView{ds: ds, hash: hash, now: now, nodes: nodes, patience: patience, minReady: time.Duration(ds.Spec.MinReadySeconds) * time.Second}
	v.wanted, v.pods = placesOf(ds, nodes), map[string][]*corev1.Pod{}
	var p daemonSetPlan
	for _, pod := range owned {
		node := targetNode(pod)
		if pod.DeletionTimestamp != nil && podFinished(pod) {
			continue
		}
		v.pods[node] = append(v.pods[node], pod)
		if in, ok := podAvailable(pod, v.minReady, now); !ok {
			p.again = sooner(p.again, in)
		}
	}
	for _, pods := range v.pods {
		slices.SortFunc(pods, olderDaemon)
	}
	p.status = v.status()
	for _, node := range nodes {
		v.settle(&p, node.Name)
	}
	v.forgetNodes(&p)
	if len(p.create)+len(p.remove) == 0 && ds.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType {
		v.roll(&p)
	}
	return p
}

// olderDaemon orders a node's pods: scheduled before unscheduled, then the oldest first.
func olderDaemon(a, b *corev1.Pod) int {
	return cmp.Or(falseFirst(a.Spec.NodeName == "", b.Spec.NodeName == ""), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

func (v *daemonView) available(pod *corev1.Pod) bool {
	_, ok := podAvailable(pod, v.minReady, v.now)
	return ok
}

func (v *daemonView) isNew(pod *corev1.Pod) bool { return revisionOf(pod) == v.hash }

// settle gives a node the pod that it should have, and takes away those that it should not.
func (v *daemonView) settle(p *daemonSetPlan, node string) {
	place, pods := v.wanted[node], v.pods[node]
	switch {
	case place.run && len(pods) == 0:
		p.create = append(p.create, node)
	case place.stay:
		v.prune(p, node, place.run)
	default:
		for _, pod := range pods {
			if pod.DeletionTimestamp == nil {
				p.remove = append(p.remove, pod)
			}
		}
	}
}

// prune leaves one running pod on a node, or two while one takes over from the other.
func (v *daemonView) prune(p *daemonSetPlan, node string, run bool) {
	var running []*corev1.Pod
	for _, pod := range v.pods[node] {
		switch {
		case pod.DeletionTimestamp != nil:
		case pod.Status.Phase == corev1.PodFailed:
			if wait := v.patience(node); wait > 0 {
				p.again = sooner(p.again, wait)
				continue
			}
			p.remove, p.failed = append(p.remove, pod), append(p.failed, node)
		case pod.Status.Phase == corev1.PodSucceeded:
			p.remove = append(p.remove, pod)
		default:
			running = append(running, pod)
		}
	}
	surge, _ := v.bounds()
	switch {
	case surge == 0 && len(running) > 1:
		p.remove = append(p.remove, running[1:]...)
	case surge > 0 && len(running) == 0 && run:
		p.create = append(p.create, node)
	case surge > 0 && len(running) > 1:
		p.remove = append(p.remove, v.handOver(running)...)
	}
}

// handOver are the pods of a node that go: all but the oldest of the new and of the old revision, and the old one once
// it is not ready or the new one is available.
func (v *daemonView) handOver(running []*corev1.Pod) (out []*corev1.Pod) {
	var young, old *corev1.Pod
	for _, pod := range running {
		switch {
		case v.isNew(pod) && young == nil:
			young = pod
		case !v.isNew(pod) && old == nil:
			old = pod
		default:
			out = append(out, pod)
		}
	}
	if young == nil || old == nil {
		return out
	}
	if _, ready := podReady(old); !ready || v.available(young) {
		out = append(out, old)
	}
	return out
}

// forgetNodes removes pods that wait for nodes which are no more.
func (v *daemonView) forgetNodes(p *daemonSetPlan) {
	for _, node := range slices.Sorted(maps.Keys(v.pods)) {
		if _, there := v.wanted[node]; there {
			continue
		}
		for _, pod := range v.pods[node] {
			if pod.Spec.NodeName == "" && pod.DeletionTimestamp == nil {
				p.remove = append(p.remove, pod)
			}
		}
	}
}

// bounds are how many nodes may have two pods, and how many none, during a rollout.
func (v *daemonView) bounds() (surge, unavailable int) {
	r := v.ds.Spec.UpdateStrategy.RollingUpdate
	if v.ds.Spec.UpdateStrategy.Type != appsv1.RollingUpdateDaemonSetStrategyType || r == nil {
		return 0, 0
	}
	nodes := 0
	for _, place := range v.wanted {
		if place.run {
			nodes++
		}
	}
	scaled := func(n *intstr.IntOrString) int {
		count, err := intstr.GetScaledValueFromIntOrPercent(ptr.To(ptr.Deref(n, intstr.FromInt32(0))), nodes, true)
		if err != nil {
			return 0
		}
		return count
	}
	surge, unavailable = scaled(r.MaxSurge), scaled(r.MaxUnavailable)
	if surge == 0 {
		unavailable = max(1, unavailable)
	}
	return surge, unavailable
}

// roll replaces pods of older revisions: without surge by removing them, with surge by adding new ones beside them.
func (v *daemonView) roll(p *daemonSetPlan) {
	surge, unavailable := v.bounds()
	budget := unavailable
	if surge > 0 {
		budget = surge
	}
	var now, candidates []*corev1.Pod // old pods that do nothing, and that work
	for _, node := range v.nodes {
		young, old := v.pair(node.Name)
		if !v.wanted[node.Name].run && young == nil && old == nil {
			continue
		}
		switch {
		case old != nil && young == nil && !v.available(old):
			now = append(now, old)
			if surge == 0 {
				budget--
			}
		case old != nil && young == nil:
			candidates = append(candidates, old)
		case old == nil && young == nil && surge == 0, young != nil && !v.available(young) && (surge == 0 || old != nil):
			budget--
		}
	}
	for _, pod := range append(now, candidates[:max(0, min(budget, len(candidates)))]...) {
		node := targetNode(pod)
		switch {
		case surge == 0:
			p.remove = append(p.remove, pod)
		case v.wanted[node].run:
			p.create = append(p.create, node)
		case !v.available(pod) || v.spare() > 0: // where it only may stay, it goes when others do its work
			p.remove = append(p.remove, pod)
		}
	}
}

// pair are a node's pods of the new and of an older revision that are not on their way out.
func (v *daemonView) pair(node string) (young, old *corev1.Pod) {
	for _, pod := range v.pods[node] {
		switch {
		case pod.DeletionTimestamp != nil:
		case v.isNew(pod) && young == nil:
			young = pod
		case !v.isNew(pod) && old == nil:
			old = pod
		}
	}
	return young, old
}

// spare is how many more nodes have an available pod than should have one.
func (v *daemonView) spare() (n int) {
	for node, place := range v.wanted {
		young, old := v.pair(node)
		if old == nil {
			old = young
		}
		if old != nil && v.available(old) {
			n++
		}
		if place.run {
			n--
		}
	}
	return n
}

func (v *daemonView) status() appsv1.DaemonSetStatus {
	s := appsv1.DaemonSetStatus{ObservedGeneration: v.ds.Generation, Conditions: v.ds.Status.Conditions, CollisionCount: v.ds.Status.CollisionCount}
	for _, node := range v.nodes {
		pods := v.pods[node.Name]
		if !v.wanted[node.Name].run {
			if len(pods) > 0 {
				s.NumberMisscheduled++
			}
			continue
		}
		s.DesiredNumberScheduled++
		if len(pods) == 0 {
			continue
		}
		s.CurrentNumberScheduled++
		pod := pods[0]
		if _, ready := podReady(pod); ready {
			s.NumberReady++
			if v.available(pod) {
				s.NumberAvailable++
			}
		}
		if v.isNew(pod) {
			s.UpdatedNumberScheduled++
		}
	}
	s.NumberUnavailable = s.DesiredNumberScheduled - s.NumberAvailable
	return s
}

// said tells of the pods that have ended and are replaced.
func (p daemonSetPlan) said() (events []plannedEvent) {
	for _, pod := range p.remove {
		node := targetNode(pod)
		switch pod.Status.Phase {
		case corev1.PodFailed:
			events = append(events, plannedEvent{corev1.EventTypeWarning, "FailedDaemonPod",
				fmt.Sprintf("Found failed daemon pod %s/%s on node %s, will try to kill it", pod.Namespace, pod.Name, node)})
		case corev1.PodSucceeded:
			events = append(events, plannedEvent{corev1.EventTypeNormal, "SucceededDaemonPod",
				fmt.Sprintf("Found succeeded daemon pod %s/%s on node %s, will try to delete it", pod.Namespace, pod.Name, node)})
		}
	}
	return events
}
