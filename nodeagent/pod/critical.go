package pod

import (
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
)

// systemCritical is the least priority of pods that the cluster cannot do without.
const systemCritical = 2_000_000_000

// Critical says that a pod goes before others, whatever the node lacks: by its priority, or as it comes from the node
// itself and nobody else would start it again.
func Critical(p *corev1.Pod) bool {
	source, fromNode := p.Annotations["kubernetes.io/config.source"]
	_, mirror := p.Annotations[corev1.MirrorPodAnnotationKey]
	return mirror || fromNode && source != "api" || corev1helpers.PodPriority(p) >= systemCritical
}

// QOS is how a pod fares when the node runs short of memory.
func QOS(p *corev1.Pod) corev1.PodQOSClass { return qosClass(p) }

// Tolerates says whether a toleration takes a taint.
func Tolerates(t corev1.Toleration, taint corev1.Taint) bool {
	return t.ToleratesTaint(logr.Discard(), &taint, true)
}
