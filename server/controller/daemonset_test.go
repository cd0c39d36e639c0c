package controller

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// testDaemons rolls one node at a time.
func testDaemons(surge, unavailable int32, mutate ...func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
		Type: appsv1.RollingUpdateDaemonSetStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDaemonSet{
			MaxSurge: ptr.To(intstr.FromInt32(surge)), MaxUnavailable: ptr.To(intstr.FromInt32(unavailable)),
		},
	}}}
	ds.Name, ds.UID = "log", "log"
	for _, m := range mutate {
		m(ds)
	}
	return ds
}

func daemonNode(name string, mutate ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{}
	n.Name = name
	for _, m := range mutate {
		m(n)
	}
	return n
}

func repelling(key string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: effect}) }
}

func daemonPod(name, node, hash string, mutate ...func(*corev1.Pod)) *corev1.Pod {
	p := testPod(name, append([]func(*corev1.Pod){onNode(node)}, mutate...)...)
	p.Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: hash}
	return p
}

func noPatience(string) time.Duration { return 0 }

func TestPlanDaemonSet(t *testing.T) {
	two := []*corev1.Node{daemonNode("a"), daemonNode("b")}
	only := func(node string) func(*appsv1.DaemonSet) {
		return func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.NodeName = node }
	}
	for _, test := range []struct {
		name  string
		ds    *appsv1.DaemonSet
		nodes []*corev1.Node
		pods  []*corev1.Pod
		want  string
	}{
		{"one on each", testDaemons(0, 1), two, nil, "create on a, create on b"},
		{"a new node", testDaemons(0, 1), two, []*corev1.Pod{daemonPod("p", "a", "new")}, "create on b"},
		{"whole", testDaemons(0, 1), two, []*corev1.Pod{daemonPod("p", "a", "new"), daemonPod("q", "b", "new")}, ""},
		{"waits for who leaves", testDaemons(0, 1), two, []*corev1.Pod{daemonPod("p", "a", "new", leaving), daemonPod("q", "b", "new")}, ""},
		{"one too many", testDaemons(0, 1), two[:1], []*corev1.Pod{daemonPod("p", "a", "new"), daemonPod("q", "a", "new")}, "delete q"},
		{"failed", testDaemons(0, 1), two[:1], []*corev1.Pod{daemonPod("p", "a", "new", inPhase(corev1.PodFailed))}, "delete p"},
		{"not there", testDaemons(0, 1, only("b")), two[:1], []*corev1.Pod{daemonPod("p", "a", "new")}, "delete p"},
		{"a closed node", testDaemons(0, 1), []*corev1.Node{daemonNode("a", repelling(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule))}, nil, "create on a"},
		{"a node for others", testDaemons(0, 1), []*corev1.Node{daemonNode("a", repelling("x", corev1.TaintEffectNoSchedule))}, nil, ""},
		{"may stay there", testDaemons(0, 1), []*corev1.Node{daemonNode("a", repelling("x", corev1.TaintEffectNoSchedule))}, []*corev1.Pod{daemonPod("p", "a", "new")}, ""},
		{"must not stay there", testDaemons(0, 1), []*corev1.Node{daemonNode("a", repelling("x", corev1.TaintEffectNoExecute))}, []*corev1.Pod{daemonPod("p", "a", "new")}, "delete p"},
		{"a node that is gone", testDaemons(0, 1), nil, []*corev1.Pod{podOfDaemon(testDaemons(0, 1), "gone", "new")}, "delete "},
		{"rolls", testDaemons(0, 1), two, []*corev1.Pod{daemonPod("p", "a", "old"), daemonPod("q", "b", "old")}, "delete p"},
		{"rolls on", testDaemons(0, 1), two, []*corev1.Pod{daemonPod("p", "a", "new"), daemonPod("q", "b", "old")}, "delete q"},
		{"waits to roll on", testDaemons(0, 1), two, []*corev1.Pod{daemonPod("p", "a", "new", unready), daemonPod("q", "b", "old")}, ""},
		{"what does nothing goes at once", testDaemons(0, 1), two, []*corev1.Pod{daemonPod("p", "a", "old"), daemonPod("q", "b", "old", unready)}, "delete q"},
		{"when somebody deletes", testDaemons(0, 1, func(ds *appsv1.DaemonSet) { ds.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType }),
			two[:1], []*corev1.Pod{daemonPod("p", "a", "old")}, ""},
		{"surges", testDaemons(1, 0), two, []*corev1.Pod{daemonPod("p", "a", "old"), daemonPod("q", "b", "old")}, "create on a"},
		{"waits for the new one", testDaemons(1, 0), two, []*corev1.Pod{daemonPod("p", "a", "old"), daemonPod("q", "b", "old"), daemonPod("r", "a", "new", unready)}, ""},
		{"hands over", testDaemons(1, 0), two[:1], []*corev1.Pod{daemonPod("p", "a", "old"), daemonPod("r", "a", "new")}, "delete p"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := planDaemonSet(test.ds, test.nodes, test.pods, "new", noPatience, testNow).String(); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
	patient := planDaemonSet(testDaemons(0, 1), two[:1], []*corev1.Pod{daemonPod("p", "a", "new", inPhase(corev1.PodFailed))}, "new",
		func(string) time.Duration { return time.Minute }, testNow)
	if patient.String() != "" || patient.again != time.Minute {
		t.Errorf("got %q, again in %v", patient, patient.again)
	}
	s := planDaemonSet(testDaemons(0, 1), append(two, daemonNode("c", repelling("x", corev1.TaintEffectNoSchedule))),
		[]*corev1.Pod{daemonPod("p", "a", "new"), daemonPod("q", "c", "old")}, "new", noPatience, testNow).status
	if s.DesiredNumberScheduled != 2 || s.CurrentNumberScheduled != 1 || s.NumberMisscheduled != 1 || s.UpdatedNumberScheduled != 1 || s.NumberUnavailable != 1 {
		t.Errorf("got %+v", s)
	}
	pod := podOfDaemon(testDaemons(0, 1), "a", "new")
	if targetNode(pod) != "a" || len(pod.Spec.Tolerations) != 6 {
		t.Errorf("got %+v", pod.Spec)
	}
}

// A rollout gets to an end, has never more nodes without an available pod than it may, and with surge none.
func TestDaemonSetsRoll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		surge := int32(rapid.IntRange(0, 2).Draw(t, "surge"))
		ds := testDaemons(surge, 0)
		most := 0
		if surge == 0 {
			most = rapid.IntRange(1, 3).Draw(t, "unavailable")
			ds.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = ptr.To(intstr.FromInt(most))
		}
		var nodes []*corev1.Node
		var pods []*corev1.Pod
		for i := range rapid.IntRange(0, 5).Draw(t, "nodes") {
			nodes = append(nodes, daemonNode(fmt.Sprint(i)))
			pods = append(pods, daemonPod(fmt.Sprint("old", i), fmt.Sprint(i), "old"))
		}
		made := 0
		for step := 0; ; step++ {
			if step > 500 {
				t.Fatal("it does not end")
			}
			plan := planDaemonSet(ds, nodes, pods, "new", noPatience, testNow)
			for _, p := range plan.remove {
				leaving(p)
			}
			for _, node := range plan.create {
				made++
				pods = append(pods, daemonPod(fmt.Sprint("new", made), node, "new", unready))
			}
			if up := nodesServed(pods); len(nodes)-up > most {
				t.Fatalf("%d of %d nodes are served", up, len(nodes))
			}
			if plan.String() == "" && plan.status.UpdatedNumberScheduled == int32(len(nodes)) && plan.status.NumberAvailable == int32(len(nodes)) && len(pods) == len(nodes) {
				return
			}
			var left []*corev1.Pod
			for _, p := range pods {
				if p.DeletionTimestamp != nil && rapid.Bool().Draw(t, "gone") {
					continue
				}
				if p.DeletionTimestamp == nil && rapid.Bool().Draw(t, "ready") {
					p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)}}
				}
				left = append(left, p)
			}
			pods = left
		}
	})
}

func nodesServed(pods []*corev1.Pod) int {
	served := map[string]bool{}
	for _, p := range pods {
		if _, ready := podReady(p); ready && p.DeletionTimestamp == nil {
			served[p.Spec.NodeName] = true
		}
	}
	return len(served)
}
