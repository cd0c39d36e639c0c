package kind

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestPodStatus(t *testing.T) {
	status := func(change func(*corev1.PodStatus)) func(*corev1.Pod) {
		return func(p *corev1.Pod) { change(&p.Status) }
	}
	reported := func() *corev1.Pod {
		p := basePod()
		p.Status = corev1.PodStatus{
			QOSClass: corev1.PodQOSBurstable, ObservedGeneration: 3,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, ObservedGeneration: 2}},
		}
		return p
	}
	checkPart(t, "status", reported, []change[*corev1.Pod]{
		{"running", status(func(s *corev1.PodStatus) { s.Phase = corev1.PodRunning }), nil},
		{"an agent that does not know of classes", status(func(s *corev1.PodStatus) { s.QOSClass = "" }), nil},
		{"another class", status(func(s *corev1.PodStatus) { s.QOSClass = corev1.PodQOSGuaranteed }), []string{"status.qosClass" + isInvalid}},
		{"a generation before all", status(func(s *corev1.PodStatus) { s.ObservedGeneration = -1 }), []string{"status.observedGeneration" + isInvalid}},
		{"a condition's", status(func(s *corev1.PodStatus) { s.Conditions[0].ObservedGeneration = -1 }), []string{"status.conditions[0].observedGeneration" + isInvalid}},
		{"a condition's name", status(func(s *corev1.PodStatus) { s.Conditions[0].Type = "not ready" }), []string{"status.conditions[0].Type" + isInvalid}},
		{"a node's name", status(func(s *corev1.PodStatus) { s.NominatedNodeName = "N!" }), []string{"status.nominatedNodeName" + isInvalid}},
	})
}

// An agent that does not tell what it has observed does not make that unknown.
func TestPodStatusKeepsWhatWasObserved(t *testing.T) {
	old := basePod()
	old.Status.ObservedGeneration = 3
	old.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, ObservedGeneration: 2}}
	updated := old.DeepCopy()
	updated.Status.ObservedGeneration, updated.Status.Conditions[0].ObservedGeneration = 0, 0
	if Pod.PrepareStatus(updated, old); updated.Status.ObservedGeneration != 3 || updated.Status.Conditions[0].ObservedGeneration != 2 {
		t.Errorf("got %+v", updated.Status)
	}
}
