package pod

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// roomRetry is how long a resize that found no room waits before it asks again: pods end at any time.
const roomRetry = 5 * time.Second

// afford says why the node cannot give a pod what it asks for. When it can, that is kept for the pod from now on.
func (m *Manager) afford(pod *corev1.Pod) Waiting {
	wanted := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
	m.mu.Lock()
	defer m.mu.Unlock()
	given := m.given(pod)
	others := corev1.ResourceList{}
	for uid, w := range m.workers {
		if uid != pod.UID {
			add(others, m.given(w.latest()))
		}
	}
	if why := noRoom(wanted, given, others, m.config.Allocatable); why != (Waiting{}) {
		return why
	}
	m.claims[pod.UID] = wanted
	return Waiting{}
}

// given is what a pod has of the node: what it was granted last, or what the API was told. m.mu is held.
func (m *Manager) given(pod *corev1.Pod) corev1.ResourceList {
	if isTerminal(pod.Status.Phase) {
		return nil
	}
	if claim, ok := m.claims[pod.UID]; ok {
		return claim
	}
	v, had := View{Pod: pod}, *pod
	had.Spec = *pod.Spec.DeepCopy()
	if had.Spec.Resources != nil && pod.Status.Resources != nil {
		had.Spec.Resources = pod.Status.Resources
	}
	for _, c := range allContainers(&had) {
		if given, ok := v.allocated(c.Name); ok {
			c.Resources = given
		}
	}
	return resourcehelper.PodRequests(&had, resourcehelper.PodResourcesOptions{})
}

// noRoom compares what a pod wants with what it has been given, what others have, and the whole node.
func noRoom(wanted, given, others, capacity corev1.ResourceList) Waiting {
	var deferred Waiting
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		want, had, used, all := wanted[name], given[name], others[name], capacity[name]
		if want.Cmp(had) <= 0 {
			continue
		}
		if want.Cmp(all) > 0 {
			return Waiting{Reason: resizeInfeasible, Message: fmt.Sprintf("Node didn't have enough capacity: %s, requested: %d, capacity: %d", name, units(name, want), units(name, all))}
		}
		total := want.DeepCopy()
		total.Add(used)
		if total.Cmp(all) > 0 && deferred == (Waiting{}) {
			deferred = Waiting{Reason: resizeDeferred, Message: fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d",
				name, units(name, want), units(name, used), units(name, all))}

		}
	}
	return deferred
}

// askForRoom finds out whether a resize has to wait, for what the pod asks for now.
func (w *worker) askForRoom() {
	switch {
	case w.view.Gone || !w.view.asksForOther():
		w.view.Pending = Waiting{}
	default:
		w.view.Pending = w.afford(w.view.Pod)
	}
}

// latest is the pod as the worker was told last, from any goroutine.
func (w *worker) latest() *corev1.Pod {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	return w.mail.pod
}

// units is an amount as the kubelet tells it: thousandths of a processor, bytes.
func units(name corev1.ResourceName, q resource.Quantity) int64 {
	if name == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

func add(sum, list corev1.ResourceList) {
	for name, quantity := range list {
		total := sum[name]
		total.Add(quantity)
		sum[name] = total
	}
}
