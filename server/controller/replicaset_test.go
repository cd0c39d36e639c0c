package controller

import (
	"errors"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestPlanReplicaSet(t *testing.T) {
	for _, test := range []struct {
		name   string
		mutate func(*appsv1.ReplicaSet)
		pods   []*corev1.Pod
		want   string
	}{
		{"as asked for", nil, []*corev1.Pod{testPod("a"), testPod("b")}, "create 0"},
		{"one short", nil, []*corev1.Pod{testPod("a")}, "create 1"},
		{"finished pods do not count", nil, []*corev1.Pod{testPod("a"), testPod("b", inPhase(corev1.PodFailed))}, "create 1"},
		{"leaving pods do not count", nil, []*corev1.Pod{testPod("a", leaving), testPod("b", leaving)}, "create 2"},
		{"one too many", nil, []*corev1.Pod{testPod("a"), testPod("b"), testPod("c", unready)}, "create 0, delete c"},
		{"at most a burst", func(rs *appsv1.ReplicaSet) { rs.Spec.Replicas = ptr.To[int32](2_000) }, nil, "create 500"},
		{"being deleted", func(rs *appsv1.ReplicaSet) { rs.DeletionTimestamp = ptr.To(ago(0)) }, nil, "create 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rs := testSet("web", "web:1", 2)
			if test.mutate != nil {
				test.mutate(rs)
			}
			if got := planReplicaSet(rs, test.pods, func() map[string]int { return crowds(test.pods) }, testNow).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestReplicaSetStatus(t *testing.T) {
	rs := testSet("web", "web:1", 5, func(rs *appsv1.ReplicaSet) { rs.Generation, rs.Spec.MinReadySeconds = 7, 30 })
	plan := planReplicaSet(rs, []*corev1.Pod{
		testPod("old"), testPod("young", readyFor(10*time.Second)), testPod("unready", unready),
		testPod("other", func(p *corev1.Pod) { p.Labels = map[string]string{"tier": "x"} }),
		testPod("leaving", leaving), testPod("done", inPhase(corev1.PodSucceeded)),
	}, nil, testNow)
	s := plan.status
	if s.ObservedGeneration != 7 || s.Replicas != 4 || s.FullyLabeledReplicas != 3 || s.ReadyReplicas != 3 ||
		s.AvailableReplicas != 2 || *s.TerminatingReplicas != 1 {
		t.Errorf("status is %+v", s)
	}
	if plan.again != 20*time.Second {
		t.Errorf("looks again in %v, want when the young pod is available", plan.again)
	}
}

func TestVictims(t *testing.T) {
	base := []func(*corev1.Pod){onNode("n")}
	pod := func(name string, mutate ...func(*corev1.Pod)) *corev1.Pod {
		return testPod(name, append(base, mutate...)...)
	}
	cost := func(c string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.PodDeletionCost: c} }
	}
	for _, test := range []struct {
		name       string
		first, not *corev1.Pod
		others     []*corev1.Pod
	}{
		{"unscheduled", pod("z", unscheduled), pod("a"), nil},
		{"pending", pod("z", inPhase(corev1.PodPending)), pod("a"), nil},
		{"not ready", pod("z", unready), pod("a"), nil},
		{"cheap", pod("z", cost("-1")), pod("a"), nil},
		{"on a crowded node", pod("z"), pod("a", onNode("m")), []*corev1.Pod{pod("y")}},
		{"ready for a shorter time", pod("z", readyFor(time.Minute)), pod("a"), nil},
		{"restarted", pod("z", func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 3}} }), pod("a"), nil},
		{"a sidecar restarted", pod("z", sidecarRestarted), pod("a"), nil},
		{"not ready, however long", pod("a", unready), pod("z", unready, readyLong), nil},
		{"younger", pod("z", func(p *corev1.Pod) { p.CreationTimestamp = ago(time.Minute) }), pod("a"), nil},
		{"of one magnitude, by UID", pod("a"), pod("z", func(p *corev1.Pod) { p.CreationTimestamp = ago(59 * time.Minute) }), nil},
		{"of unknown age", pod("z", func(p *corev1.Pod) { p.CreationTimestamp = metav1.Time{} }), pod("a"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := append([]*corev1.Pod{test.not, test.first}, test.others...)
			got := victims(all, crowds(all), 9, testNow)
			if last := got[len(got)-1]; last != test.not {
				t.Errorf("%s goes last, want %s", last.Name, test.not.Name)
			}
		})
	}
}

func sidecarRestarted(p *corev1.Pod) {
	p.Spec.InitContainers = []corev1.Container{{Name: "proxy", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)}, {Name: "init"}}
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", RestartCount: 0}, {Name: "proxy", RestartCount: 1}}
}

// readyLong has been ready once, long ago.
func readyLong(p *corev1.Pod) {
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: ago(time.Second)}}
}

// TestVictimsOfOtherSets has the pods of another ReplicaSet of the Deployment make a node crowded.
func TestVictimsOfOtherSets(t *testing.T) {
	a, b := testPod("a", onNode("n")), testPod("b", onNode("m"))
	others := []*corev1.Pod{testPod("other", onNode("m")), testPod("leaving", onNode("n"), leaving), testPod("done", onNode("n"), inPhase(corev1.PodFailed))}
	rs := testSet("web", "web:1", 1)
	plan := planReplicaSet(rs, []*corev1.Pod{a, b}, func() map[string]int { return crowds(append(others, a, b)) }, testNow)
	if plan.String() != "create 0, delete b" {
		t.Errorf("got %q", plan)
	}
}

func TestReplicaFailureSaysWhatTheAPISaid(t *testing.T) {
	refused := apierrors.NewForbidden(corev1.Resource("pods"), "web-1", errors.New("exceeded quota"))
	c := replicaFailure(nil, replicaSetPlan{create: 1}, fmt.Errorf("created 0 of 1 pods: %w", refused), testNow)
	if c[0].Message != refused.Error() {
		t.Errorf("got %q", c[0].Message)
	}
}

func TestReplicaFailure(t *testing.T) {
	failed := replicaFailure(nil, replicaSetPlan{create: 1}, errLostLease, testNow)
	if len(failed) != 1 || failed[0].Reason != "FailedCreate" || failed[0].Message != errLostLease.Error() {
		t.Fatalf("got %+v", failed)
	}
	if again := replicaFailure(failed, replicaSetPlan{create: 1}, errLostLease, testNow.Add(time.Hour)); again[0].LastTransitionTime != failed[0].LastTransitionTime {
		t.Error("the transition time moved though nothing changed")
	}
	if left := replicaFailure(failed, replicaSetPlan{}, nil, testNow); len(left) != 0 {
		t.Errorf("still said after it went well: %+v", left)
	}
}
