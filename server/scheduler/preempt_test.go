package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

func startedAt(t time.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.StartTime = &metav1.Time{Time: t} }
}

func podLabelled(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = map[string]string{key: value} }
}

func keepsAwayFrom(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{key: value}},
		}}}}
	}
}

// budgetFor lets n of the pods go that have the label app=name.
func budgetFor(name string, n int32, counted ...string) *policyv1.PodDisruptionBudget {
	b := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}},
		Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: n, DisruptedPods: map[string]metav1.Time{}},
	}
	for _, pod := range counted {
		b.Status.DisruptedPods[pod] = metav1.Time{}
	}
	return b
}

// TestPreempt lets a pod of priority 10 that asks for 3 of 4 CPUs, unless it says otherwise, look for place.
func TestPreempt(t *testing.T) {
	type on = map[string][]*corev1.Pod
	cpu := func(name, amount string, priority int32, more ...func(*corev1.Pod)) *corev1.Pod {
		return testPod(name, append([]func(*corev1.Pod){asks(amount, "1Gi"), ofPriority(priority)}, more...)...)
	}
	for _, test := range []struct {
		name    string
		on      on
		pod     *corev1.Pod
		budgets []*policyv1.PodDisruptionBudget
		want    string // node and victims
		why     string
	}{
		{name: "the lowest goes", on: on{"a": {cpu("low", "2", 1), cpu("mid", "1", 5)}}, want: "a without [low]"},
		{name: "as few as possible", on: on{"a": {cpu("x", "1", 1), cpu("y", "1", 1), cpu("z", "2", 1)}}, pod: cpu("p", "2", 10), want: "a without [z]"},
		{name: "none of its own priority", on: on{"a": {cpu("same", "2", 10)}}, why: "0/1 nodes are available: 1 No preemption victims found for incoming pod."},
		{name: "not enough even without them", on: on{"a": {cpu("same", "2", 10), cpu("low", "1", 1)}}, why: "0/1 nodes are available: 1 Insufficient cpu."},
		{name: "more than the node has", on: on{"a": {cpu("low", "1", 1)}}, pod: cpu("p", "5", 10),
			why: "0/1 nodes are available: 1 Preemption is not helpful for scheduling."},
		{name: "the wrong node", on: on{"a": {cpu("low", "1", 1)}}, pod: cpu("p", "1", 10, func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }),
			why: "0/1 nodes are available: 1 Preemption is not helpful for scheduling."},
		{name: "a host port", on: on{"a": {testPod("low", hostPortOf(80, ""))}}, pod: testPod("p", hostPortOf(80, ""), ofPriority(10)), want: "a without [low]"},
		{name: "a neighbour to avoid", on: on{"a": {testPod("low", podLabelled("app", "noisy")), testPod("other")}},
			pod: testPod("p", keepsAwayFrom("app", "noisy"), ofPriority(10)), want: "a without [low]"},
		{name: "one that avoids it", on: on{"a": {testPod("shy", keepsAwayFrom("app", "loud"))}},
			pod: testPod("p", podLabelled("app", "loud"), ofPriority(10)), want: "a without [shy]"},
		{name: "the lower of the highest", on: on{"a": {cpu("a5", "3", 5)}, "b": {cpu("b4", "1", 4), cpu("b4'", "2", 4)}}, want: "b without [b4']"},
		{name: "the smaller sum", on: on{"a": {cpu("a4", "2", 4), cpu("a3", "2", 3)}, "b": {cpu("b4", "3", 4)}}, want: "b without [b4]"},
		{name: "the one that started last", on: on{
			"a": {cpu("old", "3", 4, startedAt(start))}, "b": {cpu("young", "3", 4, startedAt(start.Add(time.Hour)))},
		}, want: "b without [young]"},
		{name: "a budget is kept", on: on{"a": {cpu("a1", "3", 1, podLabelled("app", "db"))}, "b": {cpu("b9", "3", 9)}},
			budgets: []*policyv1.PodDisruptionBudget{budgetFor("db", 0)}, want: "b without [b9]"},
		{name: "a budget that has room", on: on{"a": {cpu("a1", "3", 1, podLabelled("app", "db"))}, "b": {cpu("b9", "3", 9)}},
			budgets: []*policyv1.PodDisruptionBudget{budgetFor("db", 1)}, want: "a without [a1]"},
		{name: "one that goes already", on: on{"a": {cpu("a1", "3", 1, podLabelled("app", "db"))}, "b": {cpu("b9", "3", 9)}},
			budgets: []*policyv1.PodDisruptionBudget{budgetFor("db", 0, "a1")}, want: "a without [a1]"},
		{name: "whom a budget protects stays first", on: on{"a": {cpu("db", "2", 1, podLabelled("app", "db")), cpu("web", "2", 5)}},
			pod: cpu("p", "2", 10), budgets: []*policyv1.PodDisruptionBudget{budgetFor("db", 0)}, want: "a without [web]"},
		{name: "a budget breaks where nothing else helps", on: on{"a": {cpu("db", "3", 1, podLabelled("app", "db"))}},
			budgets: []*policyv1.PodDisruptionBudget{budgetFor("db", 0)}, want: "a without [db]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(noLabels)
			for name, pods := range test.on {
				c.setNode(testNode(name))
				for _, p := range pods {
					c.place(newPodInfo(p), name)
				}
			}
			pod := test.pod
			if pod == nil {
				pod = cpu("p", "3", 10)
			}
			before := remembered(c)
			_, refused := c.decide(standard, newPodInfo(pod))
			if refused == nil {
				t.Fatal("it fits as it is")
			}
			found, why := c.preempt(standard, newPodInfo(pod), refused.crowded, test.budgets)
			if why != test.why || test.want != "" && found.String() != test.want || test.want == "" && found != nil {
				t.Errorf("got %v, %q, want %q %q", found, why, test.want, test.why)
			}
			if after := remembered(c); after != before {
				t.Errorf("looking changed\n%s to\n%s", before, after)
			}
		})
	}
}

// remembered is all that a cluster knows, for comparing.
func remembered(c *cluster) string {
	text := ""
	for _, n := range c.nodes {
		text += fmt.Sprintln(n.name, n.requested, n.assumed, len(n.ports), slices.Sorted(maps.Keys(n.pods)))
	}
	return text + fmt.Sprintln(len(c.pods), len(c.groups), len(c.classes), len(c.claims), c.priorities, len(c.nominations))
}

// TestPreemptionHelps: without the victims the pod fits, with any one of them it does not, and none is as important.
func TestPreemptionHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(noLabels)
		for i := range rapid.IntRange(1, 4).Draw(t, "nodes") {
			node := fmt.Sprint("n", i)
			c.setNode(testNode(node))
			for j := range rapid.IntRange(0, 6).Draw(t, "pods") {
				amount := fmt.Sprint(rapid.IntRange(100, 1500).Draw(t, "cpu"), "m")
				c.place(newPodInfo(testPod(fmt.Sprint(node, "-", j), asks(amount, "1Gi"), ofPriority(rapid.Int32Range(-2, 4).Draw(t, "priority")))), node)
			}
		}
		p := newPodInfo(testPod("p", asks(fmt.Sprint(rapid.IntRange(500, 4000).Draw(t, "wants"), "m"), "1Gi"), ofPriority(rapid.Int32Range(-1, 5).Draw(t, "of"))))
		before := remembered(c)
		_, refused := c.decide(standard, p)
		if refused == nil {
			return
		}
		found, why := c.preempt(standard, p, refused.crowded, nil)
		if after := remembered(c); after != before {
			t.Fatalf("looking changed\n%s to\n%s", before, after)
		}
		if found == nil {
			if why == "" {
				t.Fatal("no reason")
			}
			return
		}
		n := c.byName[found.node]
		for _, v := range found.victims {
			if v.priority >= p.priority {
				t.Fatalf("%s is as important", v.pod.Name)
			}
			c.removePod(v.uid)
		}
		if newDecision(c, standard, p).refusedBy(n) != nil {
			t.Fatal("it does not help")
		}
		for _, v := range found.victims {
			c.place(v, n.name)
			if newDecision(c, standard, p).refusedBy(n) == nil {
				t.Fatalf("%s need not go", v.pod.Name)
			}
			c.removePod(v.uid)
		}
	})
}

// TestMakingRoom plays a preemption through, from the refusal to the placement.
func TestMakingRoom(t *testing.T) {
	s := newState([]*profile{standard}, noLabels)
	s.nodeChanged(testNode("n"))
	low := testPod("low", asks("3", "1Gi"))
	low.Spec.NodeName = "n"
	s.podChanged(low)
	high := testPod("high", asks("3", "1Gi"), ofPriority(10))
	s.podChanged(high)
	o, _ := s.try(start)
	if o.nominated != "n" || len(o.victims) != 1 || o.victims[0].Name != "low" || o.refused.message != "0/1 nodes are available: 1 Insufficient cpu." {
		t.Fatalf("got %+v %+v", o, o.refused)
	}
	waits := func(at time.Time) {
		t.Helper()
		s.nodeChanged(testNode("n", labelled("at", at.String()))) // wakes it
		o, ok := s.try(at)
		if !ok || len(o.victims) != 0 || o.nominated != "n" ||
			o.refused.message != "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node." {
			t.Fatalf("got %+v %+v", o, o.refused)
		}
	}
	waits(start.Add(time.Minute)) // the victim knows nothing yet
	low = low.DeepCopy()
	low.DeletionTimestamp = ptr.To(metav1.Now())
	low.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler}}
	s.podChanged(low)
	waits(start.Add(2 * time.Minute)) // it ends
	s.podDeleted(low)
	s.podChanged(testPod("sneaky", asks("3", "1Gi"), ofPriority(9), createdAt(start.Add(-time.Hour))))
	if o, _ := s.try(start.Add(2 * time.Minute)); o.pod.Name != "sneaky" || o.refused == nil || o.nominated != "" {
		t.Fatalf("one of lower priority takes the place: %+v", o)
	}
	if o, _ := s.try(start.Add(time.Hour)); o.node != "n" || o.pod.Name != "high" {
		t.Fatalf("got %+v %+v", o, o.refused)
	}
	if len(s.cluster.nominations)+len(s.evicted) != 0 {
		t.Errorf("still nominated or evicted: %v, %v", s.cluster.nominations, s.evicted)
	}
}

func TestNeverPreempts(t *testing.T) {
	s := newState([]*profile{standard}, noLabels)
	s.nodeChanged(testNode("n"))
	low := testPod("low", asks("3", "1Gi"))
	low.Spec.NodeName = "n"
	s.podChanged(low)
	s.podChanged(testPod("polite", asks("3", "1Gi"), ofPriority(10), func(p *corev1.Pod) { p.Spec.PreemptionPolicy = ptr.To(corev1.PreemptNever) }))
	o, _ := s.try(start)
	if len(o.victims) != 0 || o.refused.message != "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never." {
		t.Errorf("got %+v %+v", o, o.refused)
	}
}

// TestNominations are displaced by higher ones, come back with a restart, and go when the victims cannot be made to go.
func TestNominations(t *testing.T) {
	s := newState([]*profile{standard}, noLabels)
	s.nodeChanged(testNode("n"))
	low := testPod("low", asks("3", "1Gi"))
	low.Spec.NodeName = "n"
	s.podChanged(low)
	s.podChanged(testPod("mid", asks("3", "1Gi"), ofPriority(5), func(p *corev1.Pod) { p.Status.NominatedNodeName = "n" }))
	if s.cluster.nomination("mid") != "n" {
		t.Fatal("a nomination of an earlier scheduler is forgotten")
	}
	s.podChanged(testPod("high", asks("3", "1Gi"), ofPriority(10)))
	o, _ := s.try(start)
	if o.pod.Name != "high" || o.nominated != "n" || len(o.displaced) != 1 || o.displaced[0].Name != "mid" || s.cluster.nomination("mid") != "" {
		t.Fatalf("got %+v", o)
	}
	s.notEvicted("high", o.victims)
	if s.cluster.nomination("high") != "" || len(s.evicted) != 0 {
		t.Error("nominated though nobody goes")
	}
	for range 2 { // mid, and high when it has backed off
		if o, ok := s.try(start.Add(time.Minute)); !ok || len(o.victims) != 1 && o.pod.Name == "high" {
			t.Errorf("got %+v, %t", o, ok)
		}
	}
	s.podDeleted(testPod("high", func(p *corev1.Pod) { p.UID = types.UID("high") }))
	if len(s.cluster.nominations) != 0 && s.cluster.nomination("mid") == "" {
		t.Errorf("a pod that is gone is nominated: %v", s.cluster.nominations)
	}
}
