package resource_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"leme/server/kind"
	"leme/server/resource"
)

// guardedPods are pods that a budget is about, which says what the test lets it say.
func guardedPods(t *testing.T, isReady bool, status policyv1.PodDisruptionBudgetStatus, mutate func(*policyv1.PodDisruptionBudget), names ...string) *resource.API {
	t.Helper()
	a := newAPI(t)
	for _, name := range names {
		create(t, a, pods(""), newPod(name))
		_, err := resource.For[*corev1.Pod](a, kind.Pod, "tester").UpdateStatus(t.Context(), "default", name, func(p *corev1.Pod) error {
			p.Status.Phase = corev1.PodRunning
			if isReady {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: policyv1.PodDisruptionBudgetSpec{
		MinAvailable: new(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
	}}
	if mutate != nil {
		mutate(budget)
	}
	create(t, a, target(kind.PodDisruptionBudget, "default", ""), budget)
	_, err := resource.For[*policyv1.PodDisruptionBudget](a, kind.PodDisruptionBudget, "tester").UpdateStatus(t.Context(), "default", "web", func(b *policyv1.PodDisruptionBudget) error {
		b.Status = status
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func evict(a *resource.API, name string, o metav1.CreateOptions) error {
	tg := pods(name)
	tg.Subresource = resource.Eviction
	_, err := a.Create(context.Background(), tg, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name}}, o)
	return err
}

func TestEvictionsKeepToTheBudget(t *testing.T) {
	status := policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, DisruptionsAllowed: 3, CurrentHealthy: 8, DesiredHealthy: 5}
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	a := guardedPods(t, true, status, nil, names...)
	if err := evict(a, "a", metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Fatal(err)
	}
	var gone atomic.Int32
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			err := evict(a, name, metav1.CreateOptions{})
			if err == nil {
				gone.Add(1)
			} else if !apierrors.IsTooManyRequests(err) || !apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	all.Wait()
	it := must(a.Get(t.Context(), target(kind.PodDisruptionBudget, "default", "web"), metav1.GetOptions{}))(t)
	if b := object[*policyv1.PodDisruptionBudget](t, it); gone.Load() != 3 || b.Status.DisruptionsAllowed != 0 || len(b.Status.DisruptedPods) != 3 {
		t.Errorf("%d pods went; %+v", gone.Load(), b.Status)
	}
}

func TestEvictionRefusals(t *testing.T) {
	always := func(b *policyv1.PodDisruptionBudget) { b.Spec.UnhealthyPodEvictionPolicy = new(policyv1.AlwaysAllow) }
	for _, tt := range []struct {
		name   string
		ready  bool
		status policyv1.PodDisruptionBudgetStatus
		mutate func(*policyv1.PodDisruptionBudget)
		code   int32
		says   string
	}{
		{"not worked out yet", true, policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: 1}, nil, http.StatusTooManyRequests, "still being processed"},
		{"spent", true, policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, CurrentHealthy: 1, DesiredHealthy: 1}, nil, http.StatusTooManyRequests, "needs 1 healthy pods and has 1 currently"},
		{"failed sync", true, policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, Conditions: []metav1.Condition{{
			Type: policyv1.DisruptionAllowedCondition, Status: "False", Reason: policyv1.SyncFailedReason, Message: "why", LastTransitionTime: metav1.Now()}}}, nil,
			http.StatusTooManyRequests, "because it failed sync: why"},
		{"unhealthy and too few others", false, policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, CurrentHealthy: 0, DesiredHealthy: 1}, nil, http.StatusTooManyRequests, "needs 1"},
		{"unhealthy but enough others", false, policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, CurrentHealthy: 1, DesiredHealthy: 1}, nil, 0, ""},
		{"unhealthy whatever the others do", false, policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, CurrentHealthy: 0, DesiredHealthy: 1}, always, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := guardedPods(t, tt.ready, tt.status, tt.mutate, "p")
			err := evict(a, "p", metav1.CreateOptions{})
			if tt.code == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			status, ok := err.(apierrors.APIStatus)
			if !ok || status.Status().Code != tt.code || !strings.Contains(status.Status().Details.Causes[0].Message, tt.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	a := guardedPods(t, true, policyv1.PodDisruptionBudgetStatus{}, nil, "p")
	create(t, a, target(kind.PodDisruptionBudget, "default", ""), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "other"}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{}}})
	if status, ok := evict(a, "p", metav1.CreateOptions{}).(apierrors.APIStatus); !ok || status.Status().Code != http.StatusInternalServerError {
		t.Error("a pod with two budgets was evicted")
	}
}
