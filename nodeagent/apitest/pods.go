package apitest

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is a pod as it is now, an empty one when there is none.
func (a API) Pod(t testing.TB, namespace, name string) *corev1.Pod {
	t.Helper()
	p, err := a.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return &corev1.Pod{}
	}
	return p
}

// Ready tells whether a pod is.
func (a API) Ready(t testing.TB, namespace, name string) bool {
	t.Helper()
	return slices.ContainsFunc(a.Pod(t, namespace, name).Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// Delete deletes a pod with some seconds of grace; its agent has to do the rest.
func (a API) Delete(t testing.TB, namespace, name string, grace int64) {
	t.Helper()
	if err := a.CoreV1().Pods(namespace).Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil {
		t.Fatal(err)
	}
}

// Until waits for a condition; when the time is over the test fails with the story of what there is.
func Until(t testing.TB, limit time.Duration, what string, ok func() bool, story func() string) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s\n%s", what, story())
		}
	}
}
