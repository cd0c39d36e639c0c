package pod

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// podAllocation is what the pod as a whole is given; nil when it has no resources of its own.
func (v *View) podAllocation() *corev1.ResourceRequirements {
	if v.Pod.Spec.Resources != nil && v.Pending != (Waiting{}) && v.Pod.Status.Resources != nil {
		return v.Pod.Status.Resources
	}
	return v.Pod.Spec.Resources
}

// podAsksForOther says whether the pod as a whole asks for other amounts than it was given.
func (v *View) podAsksForOther() bool {
	wanted, given := v.Pod.Spec.Resources, v.Pod.Status.Resources
	return wanted != nil && given != nil && !equality.Semantic.DeepEqual(wanted.Requests, given.Requests)
}

// share is what the engine is to hold a container to: where it has no limit of its own, the pod's.
func (v *View) share(c *corev1.Container) Share {
	given := v.allocation(c)
	s := ShareOf(given)
	of := v.podAllocation()
	if of == nil {
		return s
	}
	all := ShareOf(*of)
	if given.Limits.Cpu().IsZero() {
		s.Quota = all.Quota
	}
	if given.Limits.Memory().IsZero() {
		s.Memory = all.Memory
	}
	return s
}

// holdPod has all containers of a pod that has resources of its own held to them together; false while the group that
// they are to be in is not there.
func (p *planner) holdPod() bool {
	of := p.podAllocation()
	if of == nil {
		return true
	}
	if p.Group != ShareOf(*of) {
		p.do(Action{Verb: HoldPod})
	}
	return p.Group != (Share{})
}

func (w *worker) holdPod() operation {
	share := ShareOf(*w.view.podAllocation())
	return func(ctx context.Context) (func(), error) {
		return func() { w.view.Group = share }, w.deps.Runtime.HoldPod(ctx, w.uid, share)
	}
}
