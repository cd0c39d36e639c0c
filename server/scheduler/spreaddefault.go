package scheduler

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// Workloads is what there is that pods belong to. What it returns is shared and not modified.
type Workloads interface {
	// Services are those of a namespace; generation changes when any service does.
	Services(namespace string) []*corev1.Service
	Generation() uint64
	// Selector is that of a pod's controller; nil when it has none that is known.
	Selector(namespace string, owner *metav1.OwnerReference) labels.Selector
}

// systemSpread is how pods without constraints are spread, if the profile says nothing else: those of one workload over
// hosts and zones, where that is no worse otherwise.
var systemSpread = []corev1.TopologySpreadConstraint{
	{TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway, MaxSkew: 3},
	{TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.ScheduleAnyway, MaxSkew: 5},
}

// defaultSpread are the profile's constraints for a pod that has none, by the selector of what it belongs to.
func (d *decision) defaultSpread() []spreadTerm {
	selector := d.cluster.belongings(d.pod)
	if selector == nil {
		return nil
	}
	terms := make([]spreadTerm, 0, len(d.profile.spread))
	for i := range d.profile.spread {
		terms = append(terms, newSpreadTerm(&d.profile.spread[i], d.pod.pod, selector))
	}
	return terms
}

// belonging is the answer for the pods of one class and owner.
type belonging struct {
	class string
	owner types.UID
}

const mostBelongings = 10_000

// belongings selects the pods that belong to the same services and the same controller as a pod; nil: it belongs to none.
func (c *cluster) belongings(p *podInfo) labels.Selector {
	if now := c.workloads.Generation(); now != c.belongGeneration || len(c.belong) > mostBelongings {
		clear(c.belong)
		c.belongGeneration = now
	}
	key := belonging{p.class, p.owner}
	selector, known := c.belong[key]
	if !known {
		var whole bool
		if selector, whole = c.findBelongings(p.pod); whole {
			c.belong[key] = selector
		}
	}
	return selector
}

// findBelongings looks; whole is false where the controller is not known yet.
func (c *cluster) findBelongings(pod *corev1.Pod) (selector labels.Selector, whole bool) {
	all := labels.Set{}
	for _, s := range c.workloads.Services(pod.Namespace) {
		if s.Spec.Selector != nil && labels.SelectorFromValidatedSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			all = labels.Merge(all, s.Spec.Selector)
		}
	}
	selector, whole = labels.SelectorFromValidatedSet(all), true
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && selects(owner) {
		own := c.workloads.Selector(pod.Namespace, owner)
		if whole = own != nil; whole {
			if requirements, ok := own.Requirements(); ok {
				selector = selector.Add(requirements...)
			}
		}
	}
	if selector.Empty() {
		return nil, whole
	}
	return selector, whole
}

// selects tells the controllers whose selectors count.
func selects(owner *metav1.OwnerReference) bool {
	switch owner.APIVersion {
	case corev1.SchemeGroupVersion.String():
		return owner.Kind == "ReplicationController"
	case appsv1.SchemeGroupVersion.String():
		return owner.Kind == "ReplicaSet" || owner.Kind == "StatefulSet"
	}
	return false
}

// unemployed are the Workloads of a cluster without any.
type unemployed struct{}

func (unemployed) Services(string) []*corev1.Service { return nil }
func (unemployed) Generation() uint64                { return 0 }
func (unemployed) Selector(string, *metav1.OwnerReference) labels.Selector {
	return nil
}
