package shell

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/shell/command"
)

func TestPrefix(t *testing.T) {
	scope := command.Scope{Context: "leme", Namespace: "web"}
	well := health{Known: true, Reachable: true, Counted: true, Nodes: 3, NodesReady: 3}
	for _, c := range []struct {
		name    string
		health  health
		columns int
		want    string
	}{
		{"before anything is known", health{}, 80, "leme/web> "},
		{"answers, not counted", health{Known: true, Reachable: true}, 80, "leme/web> "},
		{"well", well, 80, "leme/web [3 nodes]> "},
		{"one node", health{Known: true, Reachable: true, Counted: true, Nodes: 1, NodesReady: 1}, 80, "leme/web [1 node]> "},
		{"not well", health{Known: true, Reachable: true, Counted: true, Nodes: 3, NodesReady: 2, PodsWaiting: 5}, 100,
			"leme/web [2/3 nodes ready, 5 pods not ready]> "},
		{"away", health{Known: true}, 80, "leme/web [cluster unreachable]> "},
		{"narrow", well, 38, "web [3 nodes]> "},
		{"narrow and away", health{Known: true}, 50, "web [unreachable]> "},
		{"narrower", well, 20, "web> "},
		{"narrowest", well, 8, "> "},
	} {
		if got := prefix(scope, c.health, c.columns); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTally(t *testing.T) {
	pod := func(name string, ready corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}}
	}
	done := pod("done", corev1.ConditionFalse)
	done.Status.Phase = corev1.PodSucceeded
	changes := 0
	c := newTally(func(o any) bool { return podFine(o.(*corev1.Pod)) })
	c.changed = func() { changes++ }
	steps := []struct {
		do        func() error
		all, good int
	}{
		{func() error { return c.Replace([]any{pod("a", "True"), pod("b", "False"), done}, "1") }, 3, 2},
		{func() error { return c.Update(pod("b", "True")) }, 3, 3},
		{func() error { return c.Update(pod("b", "True")) }, 3, 3},
		{func() error { return c.Add(pod("c", "Unknown")) }, 4, 3},
		{func() error { return c.Delete(pod("a", "True")) }, 3, 2},
		{func() error { return c.Delete(pod("a", "True")) }, 3, 2},
		{func() error { return c.Replace(nil, "2") }, 0, 0},
	}
	for i, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		if all, good, known := c.numbers(); all != s.all || good != s.good || !known {
			t.Errorf("step %d: %d of %d, want %d of %d", i, good, all, s.good, s.all)
		}
	}
	if changes != len(steps) {
		t.Errorf("%d changes told", changes)
	}
}
