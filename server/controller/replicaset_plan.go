package controller

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
)

// burst bounds how many pods one look at a ReplicaSet creates or deletes; the rest follows in the next.
const burst = 500

// replicaSetPlan is what brings a ReplicaSet's pods to what it asks for.
type replicaSetPlan struct {
	create int
	remove []*corev1.Pod
	status appsv1.ReplicaSetStatus // its conditions are added when it is known how creating went
	again  time.Duration           // when a ready pod will have become available
}

func (p replicaSetPlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "create %d", p.create)
	for _, pod := range p.remove {
		fmt.Fprintf(&b, ", delete %s", pod.Name)
	}
	return b.String()
}

// planReplicaSet compares a ReplicaSet with the pods that it owns. crowd is asked, when pods have to go, how many pods
// that do the same are on each node.
func planReplicaSet(rs *appsv1.ReplicaSet, owned []*corev1.Pod, crowd func() map[string]int, now time.Time) replicaSetPlan {
	var plan replicaSetPlan
	plan.status, plan.again = replicaSetStatus(rs, owned, now)
	if rs.DeletionTimestamp != nil {
		return plan
	}
	var active []*corev1.Pod
	for _, p := range owned {
		if podActive(p) {
			active = append(active, p)
		}
	}
	missing := int(ptr.Deref(rs.Spec.Replicas, 1)) - len(active)
	switch {
	case missing > 0:
		plan.create = min(missing, burst)
	case missing < 0:
		plan.remove = victims(active, crowd(), min(-missing, burst), now)
	}
	return plan
}

func replicaSetStatus(rs *appsv1.ReplicaSet, owned []*corev1.Pod, now time.Time) (appsv1.ReplicaSetStatus, time.Duration) {
	status := appsv1.ReplicaSetStatus{
		ObservedGeneration:  rs.Generation,
		TerminatingReplicas: ptr.To[int32](0),
		Conditions:          rs.Status.Conditions,
	}
	var again time.Duration
	template := labels.SelectorFromValidatedSet(rs.Spec.Template.Labels)
	minReady := time.Duration(rs.Spec.MinReadySeconds) * time.Second
	for _, p := range owned {
		if p.DeletionTimestamp != nil && !podFinished(p) {
			*status.TerminatingReplicas++
		}
		if !podActive(p) {
			continue
		}
		status.Replicas++
		if template.Matches(labels.Set(p.Labels)) {
			status.FullyLabeledReplicas++
		}
		if _, ready := podReady(p); !ready {
			continue
		}
		status.ReadyReplicas++
		in, available := podAvailable(p, minReady, now)
		if available {
			status.AvailableReplicas++
		} else if again == 0 || in < again {
			again = in
		}
	}
	return status, again
}
