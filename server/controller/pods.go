package controller

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/event"
	"leme/server/resource"
)

// podFinished tells a pod whose containers have all ended for good.
func podFinished(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// podActive tells a pod that counts as a replica: neither finished nor on its way out.
func podActive(p *corev1.Pod) bool { return !podFinished(p) && p.DeletionTimestamp == nil }

// podReady returns since when a pod is ready, and whether it is.
func podReady(p *corev1.Pod) (since time.Time, ready bool) {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time, c.Status == corev1.ConditionTrue
		}
	}
	return time.Time{}, false
}

// podAvailable tells whether a pod has been ready for long enough; in: after which time it will have been.
func podAvailable(p *corev1.Pod, minReady time.Duration, now time.Time) (in time.Duration, available bool) {
	since, ready := podReady(p)
	if !ready {
		return 0, false
	}
	if left := minReady - now.Sub(since); minReady > 0 && left > 0 {
		return left, false
	}
	return 0, true
}

// victims returns the n pods that are missed least: unscheduled before scheduled, pending before running, not ready
// before ready, cheap before dear, on crowded nodes first, lately ready first, often restarted first, young first. Ages
// are compared by order of magnitude, so that it is not always the newest node that is emptied. crowd is how many pods
// that do the same are on each node; nil where that does not matter.
func victims(pods []*corev1.Pod, crowd map[string]int, n int, now time.Time) []*corev1.Pod {
	sorted := slices.Clone(pods)
	slices.SortFunc(sorted, func(a, b *corev1.Pod) int {
		sinceA, readyA := podReady(a)
		sinceB, readyB := podReady(b)
		readyLonger := 0
		if readyA && readyB {
			readyLonger = compareAges(sinceA, sinceB, now)
		}
		return cmp.Or(
			falseFirst(a.Spec.NodeName != "", b.Spec.NodeName != ""),
			cmp.Compare(phaseRank(a), phaseRank(b)),
			falseFirst(readyA, readyB),
			cmp.Compare(deletionCost(a), deletionCost(b)),
			cmp.Compare(crowd[b.Spec.NodeName], crowd[a.Spec.NodeName]),
			readyLonger,
			slices.Compare(restarts(b), restarts(a)),
			compareAges(a.CreationTimestamp.Time, b.CreationTimestamp.Time, now),
			cmp.Compare(a.UID, b.UID),
		)
	})
	return sorted[:min(n, len(sorted))]
}

// crowds counts the pods on each node that do something.
func crowds(pods []*corev1.Pod) map[string]int {
	onNode := make(map[string]int)
	for _, p := range pods {
		if podActive(p) {
			onNode[p.Spec.NodeName]++
		}
	}
	return onNode
}

// compareAges orders by order of magnitude, the youngest first; one that is not told counts as young.
func compareAges(a, b, now time.Time) int {
	if a.IsZero() || b.IsZero() {
		return falseFirst(!a.IsZero(), !b.IsZero())
	}
	return cmp.Compare(magnitude(now.Sub(a)), magnitude(now.Sub(b)))
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func phaseRank(p *corev1.Pod) int {
	switch p.Status.Phase {
	case corev1.PodRunning:
		return 2
	case corev1.PodUnknown:
		return 1
	}
	return 0
}

// magnitude is the age's power of two.
func magnitude(age time.Duration) int {
	if age <= 0 {
		return -1
	}
	return int(math.Log2(float64(age)))
}

func deletionCost(p *corev1.Pod) int64 {
	cost, err := strconv.ParseInt(p.Annotations[corev1.PodDeletionCost], 10, 32)
	if err != nil {
		return 0
	}
	return cost
}

// restarts are how often the container that was restarted most was, and then the sidecar.
func restarts(p *corev1.Pod) []int32 {
	var container, sidecar int32
	for i := range p.Status.ContainerStatuses {
		container = max(container, p.Status.ContainerStatuses[i].RestartCount)
	}
	for _, s := range sidecarStatuses(p) {
		sidecar = max(sidecar, s.RestartCount)
	}
	return []int32{container, sidecar}
}

// sidecarStatuses are those of the init containers that run beside the others.
func sidecarStatuses(p *corev1.Pod) []corev1.ContainerStatus {
	var statuses []corev1.ContainerStatus
	for _, c := range p.Spec.InitContainers {
		if ptr.Deref(c.RestartPolicy, "") != corev1.ContainerRestartPolicyAlways {
			continue
		}
		i := slices.IndexFunc(p.Status.InitContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == c.Name })
		if i >= 0 {
			statuses = append(statuses, p.Status.InitContainerStatuses[i])
		}
	}
	return statuses
}

// removePod removes a pod of an owner, and tells so in the owner's events.
func removePod(ctx context.Context, pods resource.Typed[*corev1.Pod], events *event.Source, owner object, pod *corev1.Pod) error {
	if err := removeSeen(ctx, pods, pod, metav1.DeleteOptions{}); err != nil {
		events.Warning(owner, "FailedDelete", "Error deleting: %v", err)
		return fmt.Errorf("deleting pod %s: %w", pod.Name, err)
	}
	events.Normal(owner, "SuccessfulDelete", "Deleted pod: %s", pod.Name)
	return nil
}

// podFromTemplate is the pod that a controller makes, named by the server.
func podFromTemplate(t *corev1.PodTemplateSpec, namespace, owner string, ref metav1.OwnerReference) *corev1.Pod {
	t = t.DeepCopy()
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       namespace,
			GenerateName:    owner + "-",
			Labels:          t.Labels,
			Annotations:     t.Annotations,
			Finalizers:      t.Finalizers,
			OwnerReferences: []metav1.OwnerReference{ref},
		},
		Spec: t.Spec,
	}
}
