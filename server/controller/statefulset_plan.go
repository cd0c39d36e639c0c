package controller

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// statefulSetPlan is the next step of a StatefulSet.
type statefulSetPlan struct {
	create []statefulPod
	remove []*corev1.Pod
	rename []*corev1.Pod // lack the labels that tell who they are
	claims []*corev1.Pod // wait for volumes: what is missing of their claims is made
	status appsv1.StatefulSetStatus
	again  time.Duration
}

// statefulPod is a pod to make: its number, and from which revision.
type statefulPod struct {
	ordinal  int32
	revision string
}

func (p statefulSetPlan) String() string {
	var parts []string
	for _, c := range p.create {
		parts = append(parts, fmt.Sprintf("create %d of %s", c.ordinal, c.revision))
	}
	for _, pod := range p.remove {
		parts = append(parts, "delete "+pod.Name)
	}
	for _, pod := range p.rename {
		parts = append(parts, "label "+pod.Name)
	}
	return strings.Join(parts, ", ")
}

// statefulView is a StatefulSet and its pods at one moment. The current revision is what its pods had before a rollout,
// the update revision what they get.
type statefulView struct {
	set             *appsv1.StatefulSet
	current, update string
	now             time.Time
	ordered         bool
	start           int32
	replicas        []*corev1.Pod // by ordinal; nil where there is none
	condemned       []*corev1.Pod // with ordinals that are not wanted, the highest first
	firstBad        *corev1.Pod   // the first that is not available
}

// planStatefulSet compares a StatefulSet with the pods that it owns.
func planStatefulSet(set *appsv1.StatefulSet, owned []*corev1.Pod, current, update string, now time.Time) statefulSetPlan {
	v := newStatefulView(set, owned, current, update, now)
	p := statefulSetPlan{status: v.status(owned)}
	p.again = v.nextAvailable(owned)
	if set.DeletionTimestamp != nil {
		return p
	}
	_ = v.keep(&p) && v.shrink(&p) && v.roll(&p)
	return p
}

func newStatefulView(set *appsv1.StatefulSet, owned []*corev1.Pod, current, update string, now time.Time) *statefulView {
	v := &statefulView{set: set, current: current, update: update, now: now, ordered: set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement}
	if set.Spec.Ordinals != nil {
		v.start = set.Spec.Ordinals.Start
	}
	v.replicas = make([]*corev1.Pod, ptr.Deref(set.Spec.Replicas, 1))
	for _, pod := range owned {
		switch i := ordinalOf(pod) - v.start; {
		case ordinalOf(pod) < 0:
		case i >= 0 && int(i) < len(v.replicas):
			v.replicas[i] = pod
		default:
			v.condemned = append(v.condemned, pod)
		}
	}
	slices.SortFunc(v.condemned, func(a, b *corev1.Pod) int { return cmp.Compare(ordinalOf(b), ordinalOf(a)) })
	inOrder := slices.Clone(v.condemned)
	slices.Reverse(inOrder)
	for _, pod := range append(slices.Clone(v.replicas), inOrder...) {
		if pod != nil && v.firstBad == nil && !v.available(pod) {
			v.firstBad = pod
		}
	}
	return v
}

// available tells a pod that does its work and is not about to go.
func (v *statefulView) available(pod *corev1.Pod) bool {
	_, ok := podAvailable(pod, time.Duration(v.set.Spec.MinReadySeconds)*time.Second, v.now)
	return ok && pod.DeletionTimestamp == nil
}

// nextAvailable is when a pod that is ready will have been for long enough.
func (v *statefulView) nextAvailable(owned []*corev1.Pod) (again time.Duration) {
	for _, pod := range owned {
		if in, ok := podAvailable(pod, time.Duration(v.set.Spec.MinReadySeconds)*time.Second, v.now); !ok {
			again = sooner(again, in)
		}
	}
	return again
}

// keep sees to it that every wanted pod is there. It is false while the rest has to wait: in an ordered set everything
// waits for the first pod that is not well.
func (v *statefulView) keep(p *statefulSetPlan) bool {
	complete := true
	for i, pod := range v.replicas {
		switch {
		case pod == nil:
			p.create = append(p.create, statefulPod{v.start + int32(i), v.revisionFor(int32(i))})
		case podFinished(pod):
			if pod.DeletionTimestamp == nil {
				p.remove = append(p.remove, pod)
			}
		default:
			if pod.Status.Phase == corev1.PodPending {
				p.claims = append(p.claims, pod)
			}
			if v.available(pod) || !v.ordered {
				if !labelledByName(pod) {
					p.rename = append(p.rename, pod)
				}
				continue
			}
		}
		complete = false
		if v.ordered {
			return false
		}
	}
	return complete || !v.ordered
}

// revisionFor is what the pod of an index is made from: below the partition what was there before.
func (v *statefulView) revisionFor(index int32) string {
	u := v.set.Spec.UpdateStrategy
	if u.Type != appsv1.RollingUpdateStatefulSetStrategyType {
		return v.update
	}
	old := v.set.Status.CurrentReplicas
	if u.RollingUpdate != nil {
		old = ptr.Deref(u.RollingUpdate.Partition, 0)
	}
	if index < old {
		return v.current
	}
	return v.update
}

// shrink removes the pods that are too many, in an ordered set one by one from the end.
func (v *statefulView) shrink(p *statefulSetPlan) bool {
	for _, pod := range v.condemned {
		leaving := pod.DeletionTimestamp != nil
		if v.ordered && (leaving || !v.available(pod) && pod != v.firstBad) {
			return false
		}
		if leaving {
			continue
		}
		p.remove = append(p.remove, pod)
		if v.ordered {
			return false
		}
	}
	return true
}

// roll removes pods of older revisions, from the end down to the partition, so that no more than allowed are missing.
func (v *statefulView) roll(p *statefulSetPlan) bool {
	u := v.set.Spec.UpdateStrategy
	if u.Type != appsv1.RollingUpdateStatefulSetStrategyType {
		return true
	}
	lowest, most := int32(0), 1
	if r := u.RollingUpdate; r != nil {
		lowest = ptr.Deref(r.Partition, 0)
		n, err := intstr.GetScaledValueFromIntOrPercent(ptr.To(ptr.Deref(r.MaxUnavailable, intstr.FromInt32(1))), len(v.replicas), false)
		if err == nil {
			most = max(1, n)
		}
	}
	for _, pod := range v.replicas {
		if pod == nil || !v.available(pod) {
			most--
		}
	}
	old := v.outdated(lowest)
	if !v.ordered { // those that do nothing are missed by nobody
		for _, pod := range old {
			if !v.available(pod) {
				p.remove = append(p.remove, pod)
			}
		}
		old = slices.DeleteFunc(old, func(pod *corev1.Pod) bool { return !v.available(pod) })
	}
	p.remove = append(p.remove, old[:max(0, min(most, len(old)))]...)
	return true
}

// outdated are the pods from the end down to a place that are to get another revision.
func (v *statefulView) outdated(lowest int32) (old []*corev1.Pod) {
	for i, pod := range slices.Backward(v.replicas) {
		if int32(i) >= lowest && pod != nil && revisionOf(pod) != v.update && pod.DeletionTimestamp == nil && !podFinished(pod) {
			old = append(old, pod)
		}
	}
	return old
}

func (v *statefulView) status(owned []*corev1.Pod) appsv1.StatefulSetStatus {
	s := appsv1.StatefulSetStatus{
		ObservedGeneration: v.set.Generation, CurrentRevision: v.current, UpdateRevision: v.update,
		Conditions: v.set.Status.Conditions, CollisionCount: v.set.Status.CollisionCount,
	}
	for _, pod := range owned {
		s.Replicas++
		if _, ready := podReady(pod); ready && pod.Status.Phase == corev1.PodRunning {
			s.ReadyReplicas++
			if _, ok := podAvailable(pod, time.Duration(v.set.Spec.MinReadySeconds)*time.Second, v.now); ok {
				s.AvailableReplicas++
			}
		}
		if pod.DeletionTimestamp != nil {
			continue
		}
		if revisionOf(pod) == v.current {
			s.CurrentReplicas++
		}
		if revisionOf(pod) == v.update {
			s.UpdatedReplicas++
		}
	}
	if n := int32(len(v.replicas)); s.UpdatedReplicas == n && s.ReadyReplicas == n && s.Replicas == n {
		s.CurrentRevision, s.CurrentReplicas = s.UpdateRevision, s.UpdatedReplicas
	}
	return s
}

var ordinalName = regexp.MustCompile(`^(.*)-([0-9]+)$`)

// ordinalOf is the number at the end of a pod's name, -1 where there is none.
func ordinalOf(o interface{ GetName() string }) int32 {
	parts := ordinalName.FindStringSubmatch(o.GetName())
	if parts == nil {
		return -1
	}
	n, err := strconv.ParseInt(parts[2], 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}

// memberOf tells whether a pod's name is one that a StatefulSet gives.
func memberOf(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	parts := ordinalName.FindStringSubmatch(pod.Name)
	return parts != nil && parts[1] == set.Name
}

func revisionOf(pod *corev1.Pod) string { return pod.Labels[appsv1.ControllerRevisionHashLabelKey] }

func labelledByName(pod *corev1.Pod) bool {
	return pod.Labels[appsv1.StatefulSetPodNameLabel] == pod.Name
}
