package kind

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// Pod is a group of containers that run together on one node.
var Pod = &Kind{
	GroupVersionKind: core("Pod"),
	Resource:         "pods",
	Singular:         "pod",
	ShortNames:       []string{"po"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[corev1.Pod](),
	NewList:          makes[corev1.PodList](),

	Default:       changes(defaultPod),
	PrepareCreate: changes(createPod),
	PrepareUpdate: updating(podParts),
	PrepareStatus: changesOver(reportPod),
	HasStatus:     true,
	Subresources:  podSubresources,

	Validate:       validates(validatePod),
	ValidateCreate: validates(validateNewPod),
	ValidateUpdate: validatesOver(validatePodUpdate),
	ValidateStatus: validatesOver(validatePodStatus),
	Warnings:       warns(podWarnings),

	Fields:       valuesOf(podFields),
	FieldLabels:  labelsOf(podFields),
	Columns:      podColumns,
	Row:          prints(podRow),
	GraceSeconds: graces(podGrace),
}

var podFields = []selectable[*corev1.Pod]{
	{"spec.nodeName", func(p *corev1.Pod) string { return p.Spec.NodeName }},
	{"spec.restartPolicy", func(p *corev1.Pod) string { return string(p.Spec.RestartPolicy) }},
	{"spec.schedulerName", func(p *corev1.Pod) string { return p.Spec.SchedulerName }},
	{"spec.serviceAccountName", func(p *corev1.Pod) string { return p.Spec.ServiceAccountName }},
	{"spec.hostNetwork", func(p *corev1.Pod) string { return strconv.FormatBool(p.Spec.HostNetwork) }},
	{"status.phase", func(p *corev1.Pod) string { return string(p.Status.Phase) }},
	{"status.podIP", podIP},
	{"status.podIPs", podIP},
	{"status.nominatedNodeName", func(p *corev1.Pod) string { return p.Status.NominatedNodeName }},
}

func podParts(p *corev1.Pod) (*corev1.PodSpec, *corev1.PodStatus) { return &p.Spec, &p.Status }

func createPod(p *corev1.Pod) {
	p.Generation = 1
	p.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: QOSClass(&p.Spec)}
}

// reportPod keeps the spec and the owners: an agent may not move a pod from one owner to another. What an agent does not
// know of is kept too.
func reportPod(updated, old *corev1.Pod) {
	updated.Spec = old.Spec
	updated.OwnerReferences = old.OwnerReferences
	updated.Generation = old.Generation
	setDefaultText(&updated.Status.QOSClass, old.Status.QOSClass)
	setDefaultText(&updated.Status.ObservedGeneration, old.Status.ObservedGeneration)
	observed := map[corev1.PodConditionType][]int64{}
	for _, c := range old.Status.Conditions {
		observed[c.Type] = append(observed[c.Type], c.ObservedGeneration)
	}
	for i := range updated.Status.Conditions {
		c := &updated.Status.Conditions[i]
		if before := observed[c.Type]; len(before) > 0 {
			setDefaultText(&c.ObservedGeneration, before[0])
			observed[c.Type] = before[1:]
		}
	}
}

// podGrace is no time at all for a pod that no agent runs (any more).
func podGrace(p *corev1.Pod, requested *int64) int64 {
	if p.Spec.NodeName == "" || ended(p) {
		return 0
	}
	if requested == nil {
		requested = p.Spec.TerminationGracePeriodSeconds
	}
	switch {
	case requested == nil:
		return 0
	case *requested < 0:
		return 1
	default:
		return *requested
	}
}
