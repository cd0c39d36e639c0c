package controller

import (
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/resource"
)

func testNode(ready corev1.ConditionStatus, mutate ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "n"}}
	if ready != "" {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready, Reason: "KubeletReady"}}
	}
	for _, m := range mutate {
		m(n)
	}
	return n
}

func tainted(taints ...corev1.Taint) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = taints }
}

func taint(key string, effect corev1.TaintEffect) corev1.Taint {
	return corev1.Taint{Key: key, Effect: effect}
}

func TestPlanNode(t *testing.T) {
	const silent = time.Minute
	unreachable := []corev1.Taint{
		taint(corev1.TaintNodeUnreachable, corev1.TaintEffectNoSchedule), taint(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute),
	}
	for _, test := range []struct {
		name    string
		node    *corev1.Node
		heard   time.Duration // ago
		allLost bool
		want    string
	}{
		{"well", testNode(corev1.ConditionTrue), time.Second, false, "nothing"},
		{"new", testNode(""), 0, false, "taint [node.kubernetes.io/not-ready:NoSchedule]"},
		{"says that it is not ready", testNode(corev1.ConditionFalse), time.Second, false,
			"taint [node.kubernetes.io/not-ready:NoSchedule node.kubernetes.io/not-ready:NoExecute]"},
		{"silent", testNode(corev1.ConditionTrue), silent, false,
			"conditions unknown, taint [node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute]"},
		{"never heard", testNode(""), silent, false,
			"conditions unknown, taint [node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute]"},
		{"all silent: nobody is driven away", testNode(corev1.ConditionTrue), silent, true, "conditions unknown, taint [node.kubernetes.io/unreachable:NoSchedule]"},
		{"all silent: who is being driven away stays", testNode(corev1.ConditionUnknown, tainted(unreachable...)), silent, true,
			"conditions unknown, taint [node.kubernetes.io/unreachable:NoSchedule]"},
		{"silent before, which this server has only heard", testNode(corev1.ConditionUnknown, tainted(unreachable[0])), time.Second, false, "nothing"},
		{"being left, which this server has only heard", testNode(corev1.ConditionUnknown, tainted(unreachable...)), time.Second, false, "nothing"},
		{"being left, and says now that it is not ready", testNode(corev1.ConditionFalse, tainted(unreachable...)), time.Second, false,
			"taint [node.kubernetes.io/not-ready:NoSchedule node.kubernetes.io/not-ready:NoExecute]"},
		{"back", testNode(corev1.ConditionTrue, tainted(unreachable...)), time.Second, false, "taint []"},
		{"cordoned", testNode(corev1.ConditionTrue, func(n *corev1.Node) { n.Spec.Unschedulable = true }), 0, false, "taint [node.kubernetes.io/unschedulable:NoSchedule]"},
		{"uncordoned", testNode(corev1.ConditionTrue, tainted(taint(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule))), 0, false, "taint []"},
		{"others' taints stay", testNode(corev1.ConditionTrue, tainted(taint("gpu", corev1.TaintEffectNoExecute))), 0, false, "nothing"},
		{"disk full", testNode(corev1.ConditionTrue, func(n *corev1.Node) {
			n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue})
		}), 0, false, "taint [node.kubernetes.io/disk-pressure:NoSchedule]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen := nodeSeen{heard: testNow.Add(-test.heard), grace: 40 * time.Second, disrupted: test.allLost}
			plan := planNode(test.node, seen, func() (time.Duration, bool) { return 0, true }, testNow)
			if got := plan.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if plan.again <= 0 {
				t.Error("a node is never looked at again")
			}
		})
	}
}

func TestNodesAreLeftOneByOne(t *testing.T) {
	seen := nodeSeen{heard: testNow.Add(-time.Minute), grace: 40 * time.Second}
	plan := planNode(testNode(corev1.ConditionTrue), seen, func() (time.Duration, bool) { return time.Second, false }, testNow)
	if got := plan.String(); got != "conditions unknown, taint [node.kubernetes.io/unreachable:NoSchedule]" || plan.again != time.Second {
		t.Errorf("got %q, again in %v", got, plan.again)
	}
	for _, n := range []*corev1.Node{
		testNode(corev1.ConditionTrue),
		testNode(corev1.ConditionFalse, tainted(taint(corev1.TaintNodeNotReady, corev1.TaintEffectNoSchedule), taint(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute))),
	} {
		planNode(n, nodeSeen{heard: testNow, grace: time.Minute}, func() (time.Duration, bool) {
			t.Error("asked though its pods need not be driven away")
			return 0, true
		}, testNow)
	}
}

func TestUnknownConditionsSayWhy(t *testing.T) {
	conditions := unknownConditions(testNode(corev1.ConditionTrue), testNow)
	if len(conditions) != 4 || conditions[0].Reason != "NodeStatusUnknown" || conditions[0].Message != "Kubelet stopped posting node status." ||
		conditions[1].Reason != "NodeStatusNeverUpdated" {
		t.Errorf("got %+v", conditions)
	}
	if again := unknownConditions(&corev1.Node{Status: corev1.NodeStatus{Conditions: conditions}}, testNow); again != nil {
		t.Errorf("said twice: %+v", again)
	}
}

func TestHearing(t *testing.T) {
	h := hearing{last: make(map[string]lastHeard)}
	h.note("a", "1", testNow)
	if at := h.note("b", "1", testNow.Add(2*time.Minute)); !at.Equal(testNow.Add(2 * time.Minute)) {
		t.Errorf("a new node was heard at %v", at)
	}
	if at := h.note("a", "1", testNow.Add(2*time.Minute)); !at.Equal(testNow) {
		t.Errorf("an old heartbeat counts as of %v", at)
	}
	if at := h.note("a", "2", testNow.Add(4*time.Minute)); !at.Equal(testNow.Add(4 * time.Minute)) {
		t.Error("a new heartbeat is not heard")
	}
	h.renew(testNow.Add(5 * time.Minute))
	if at := h.note("b", "1", testNow.Add(6*time.Minute)); !at.Equal(testNow.Add(5 * time.Minute)) {
		t.Errorf("it was given its full time, and was heard at %v", at)
	}
	h.forget("b")
	if at := h.note("b", "1", testNow.Add(7*time.Minute)); !at.Equal(testNow.Add(7 * time.Minute)) {
		t.Errorf("a namesake was heard at %v", at)
	}
}

func TestEvictionTime(t *testing.T) {
	at := ago(10 * time.Second)
	unreachable := corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute, TimeAdded: &at}
	gpu := corev1.Taint{Key: "gpu", Effect: corev1.TaintEffectNoExecute}
	tolerate := func(key string, seconds *int64) corev1.Toleration {
		return corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, TolerationSeconds: seconds}
	}
	for _, test := range []struct {
		name        string
		tolerations []corev1.Toleration
		taints      []corev1.Taint
		in          time.Duration
		never       bool
	}{
		{"no taint", nil, nil, 0, true},
		{"not tolerated", nil, []corev1.Taint{gpu}, 0, false},
		{"tolerated for ever", []corev1.Toleration{tolerate("", nil)}, []corev1.Taint{gpu, unreachable}, 0, true},
		{"tolerated from when it was set", []corev1.Toleration{tolerate(corev1.TaintNodeUnreachable, ptr.To[int64](300))}, []corev1.Taint{unreachable}, 290 * time.Second, false},
		{"the shortest toleration", []corev1.Toleration{tolerate("", nil), tolerate(corev1.TaintNodeUnreachable, ptr.To[int64](60))}, []corev1.Taint{unreachable}, 50 * time.Second, false},
		{"the first of several taints", []corev1.Toleration{tolerate(corev1.TaintNodeUnreachable, ptr.To[int64](300))}, []corev1.Taint{unreachable, gpu}, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := testPod("p", func(p *corev1.Pod) { p.Spec.Tolerations = test.tolerations })
			got, ok := evictionTime(pod, test.taints, testNow)
			if ok == test.never || ok && got.Sub(testNow) != test.in {
				t.Errorf("got in %v, %t", got.Sub(testNow), ok)
			}
		})
	}
	late := testPod("late", func(p *corev1.Pod) {
		p.Spec.Tolerations = []corev1.Toleration{tolerate("", ptr.To[int64](60))}
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Second)})
	})
	if got, _ := evictionTime(late, []corev1.Taint{unreachable}, testNow); got.Sub(testNow) != 59*time.Second {
		t.Errorf("one that came after the taint goes in %v", got.Sub(testNow))
	}
	if got, _ := evictionTime(late, []corev1.Taint{gpu}, testNow.Add(-time.Minute)); got.Sub(testNow) != 0 {
		t.Errorf("one that was seen a minute ago goes in %v", got.Sub(testNow))
	}
}

// TestTaintsWithoutTimeDriveAway has a taint as `kubectl taint` sets it, and a pod that bears it for a while.
func TestTaintsWithoutTimeDriveAway(t *testing.T) {
	e := sweepEnvironment(t)
	now := time.Now()
	e.now = func() time.Time { return now }
	pods := resource.For[*corev1.Pod](e.api, kind.Pod, "tester")
	nodes := resource.For[*corev1.Node](e.api, kind.Node, "tester")
	c := taintEvictionOf(e)
	c.now = func() time.Time { return now }
	tainted := func(taints ...corev1.Taint) {
		t.Helper()
		if _, err := nodes.Update(t.Context(), "", "n", func(n *corev1.Node) error { n.Spec.Taints = taints; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	look := func() time.Duration {
		t.Helper()
		again, err := c.reconcile(t.Context(), objectKey{Namespace: "default", Name: "p"})
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	if _, err := nodes.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}); err != nil {
		t.Fatal(err)
	}
	tainted(taint("gpu", corev1.TaintEffectNoExecute))
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "p"},
		Spec: corev1.PodSpec{
			NodeName: "n", Containers: []corev1.Container{{Name: "main", Image: "web:1"}}, TerminationGracePeriodSeconds: ptr.To[int64](0),
			Tolerations: []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](60)}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if again := look(); again != time.Minute {
		t.Errorf("goes in %v, tolerates a minute", again)
	}
	now = now.Add(50 * time.Second)
	if again := look(); again != 10*time.Second {
		t.Errorf("goes in %v, ten seconds are left", again)
	}
	tainted()
	if again := look(); again != 0 || len(c.waiting) != 0 {
		t.Errorf("the taint is gone, looks again in %v, waits: %v", again, c.waiting)
	}
	tainted(taint("gpu", corev1.TaintEffectNoExecute))
	if again := look(); again != time.Minute {
		t.Errorf("goes in %v, the taint is new", again)
	}
	now = now.Add(time.Minute)
	look()
	if p, there := pods.Get("default", "p"); there && p.DeletionTimestamp == nil {
		t.Error("is still there")
	}
}

func TestFreeCIDR(t *testing.T) {
	all := netip.MustParsePrefix("10.42.0.0/22")
	used := map[string]bool{"": true}
	for _, want := range []string{"10.42.0.0/24", "10.42.1.0/24", "10.42.2.0/24", "10.42.3.0/24"} {
		got, ok := freeCIDR(all, used)
		if !ok || got != want {
			t.Fatalf("got %s, %t; want %s", got, ok, want)
		}
		used[got] = true
	}
	if got, ok := freeCIDR(all, used); ok {
		t.Errorf("a fifth of four: %s", got)
	}
	delete(used, "10.42.2.0/24")
	if got, _ := freeCIDR(all, used); got != "10.42.2.0/24" {
		t.Errorf("a part that is free again is not given: %s", got)
	}
}
