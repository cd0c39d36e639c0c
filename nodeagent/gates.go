package nodeagent

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/admit"
	"leme/nodeagent/pod"
)

// gate asks, in this order, everyone who may have something against a pod that is bound here.
func (a *Agent) gate(p *corev1.Pod, others []*corev1.Pod) pod.Verdict {
	for _, gate := range []pod.Gate{
		func(p *corev1.Pod, _ []*corev1.Pod) pod.Verdict { return a.pressure.Admit(p) },
		func(p *corev1.Pod, _ []*corev1.Pod) pod.Verdict { return a.shutdown.Admit(p) },
		func(p *corev1.Pod, others []*corev1.Pod) pod.Verdict { return admit.Fits(p, a.node.forPods(), others) },
	} {
		if v := gate(p, others); v.Reason != "" || len(v.Victims) > 0 {
			return v
		}
	}
	return pod.Verdict{}
}

// forPods is the node as pods find it: labels and taints as the API has them, and what the machine really has.
func (n *node) forPods() *corev1.Node {
	view := &corev1.Node{}
	if object, _ := n.current(); object != nil {
		view.ObjectMeta, view.Spec = object.ObjectMeta, object.Spec
	} else {
		view.ObjectMeta = metav1.ObjectMeta{Name: n.agent.config.NodeName, Labels: n.labels(facts{machine: n.agent.machine, name: n.agent.config.NodeName})}
	}
	view.Status.Allocatable = n.agent.machine.allocatable()
	return view
}
