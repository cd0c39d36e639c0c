package controller

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

func targeted(since time.Duration, reason string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, LastTransitionTime: ago(since),
		})
	}
}

func TestStaleDisruption(t *testing.T) {
	const evicted = "EvictionByEvictionAPI"
	for _, test := range []struct {
		name  string
		pod   *corev1.Pod
		wait  time.Duration
		stale bool
	}{
		{"stays", testPod("p"), 0, false},
		{"just told", testPod("p", targeted(30*time.Second, evicted)), 90 * time.Second, false},
		{"told long ago", testPod("p", targeted(2*time.Minute, evicted)), 0, true},
		{"on its way", testPod("p", targeted(time.Hour, evicted), leaving), 0, false},
		{"ended", testPod("p", targeted(time.Hour, evicted), inPhase(corev1.PodFailed)), 0, false},
		{"told by its agent", testPod("p", targeted(time.Hour, corev1.PodReasonTerminationByKubelet)), 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if wait, stale := staleDisruption(test.pod, testNow); wait != test.wait || stale != test.stale {
				t.Errorf("wait %s, stale %v", wait, stale)
			}
		})
	}
}

func TestStaleDisruptionsAreTakenBack(t *testing.T) {
	e := sweepEnvironment(t)
	pods := resource.For[*corev1.Pod](e.api, kind.Pod, "tester")
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "p"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := e.now()
	_, err = pods.UpdateStatus(t.Context(), "default", "p", func(p *corev1.Pod) error {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI", LastTransitionTime: metav1.NewTime(now),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c, key := staleDisruptionsOf(e), objectKey{Namespace: "default", Name: "p"}
	told := func() corev1.ConditionStatus {
		p, _ := pods.Get("default", "p")
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.DisruptionTarget {
				return c.Status
			}
		}
		return ""
	}
	if again, err := c.reconcile(t.Context(), key); err != nil || again < time.Minute || told() != corev1.ConditionTrue {
		t.Fatalf("again in %s, %v, %s", again, err, told())
	}
	c.now = func() time.Time { return now.Add(disruptionPatience) }
	if again, err := c.reconcile(t.Context(), key); err != nil || again != 0 || told() != corev1.ConditionFalse {
		t.Errorf("again in %s, %v, %s", again, err, told())
	}
}
