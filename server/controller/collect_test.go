package controller

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/store"
)

func ownedBy(uids ...types.UID) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		for i, uid := range uids {
			p.OwnerReferences = append(p.OwnerReferences, metav1.OwnerReference{UID: uid, Controller: ptr.To(i == 0)})
		}
	}
}

func finalizers(names ...string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Finalizers = names }
}

func TestPlanCollect(t *testing.T) {
	states := map[types.UID]ownerState{"here": ownerSolid, "gone": ownerAbsent, "waits": ownerWaiting}
	state := func(ref metav1.OwnerReference) ownerState { return states[ref.UID] }
	for _, test := range []struct {
		name       string
		object     *corev1.Pod
		dependents []metav1.Object
		want       string
	}{
		{"nobody's", testPod("a"), nil, "nothing"},
		{"somebody's", testPod("a", ownedBy("here")), nil, "nothing"},
		{"its owner is gone", testPod("a", ownedBy("gone")), nil, "delete Background"},
		{"one of two is gone", testPod("a", ownedBy("here", "gone")), nil, "drop owners [gone]"},
		{"both are gone", testPod("a", ownedBy("gone", "gone")), nil, "delete Background"},
		{"its owner waits for it", testPod("a", ownedBy("waits")), nil, "delete Background"},
		{"its owner waits, and it has dependents", testPod("a", ownedBy("waits")), []metav1.Object{testPod("b")}, "delete Foreground"},
		{"a circle of waiting", testPod("a", ownedBy("waits")), []metav1.Object{testPod("b", leaving, finalizers(metav1.FinalizerDeleteDependents))}, "unblock and delete Foreground"},
		{"another owner holds it", testPod("a", ownedBy("waits", "here")), nil, "drop owners [waits]"},
		{"it wants its dependents orphaned", testPod("a", ownedBy("gone"), finalizers(metav1.FinalizerOrphanDependents)), nil, "delete Orphan"},
		{"on its way out", testPod("a", ownedBy("gone"), leaving), nil, "nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := planCollect(test.object, state, test.dependents).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOwnerGraph(t *testing.T) {
	g := newOwnerGraph()
	a, b := store.Key{Name: "a"}, store.Key{Name: "b"}
	g.set(a, []types.UID{"x", "y"})
	g.set(b, []types.UID{"x"})
	g.set(a, []types.UID{"y"})
	if got := g.dependents("x"); !slices.Equal(got, []store.Key{b}) {
		t.Errorf("x owns %v", got)
	}
	g.set(a, nil)
	g.set(b, nil)
	if len(g.owners)+len(g.owned) != 0 {
		t.Errorf("what is gone is remembered: %v %v", g.owners, g.owned)
	}
}

func TestClaim(t *testing.T) {
	owner := testSet("web", "web:1", 1)
	owner.UID = "me"
	other := func(p *corev1.Pod) { p.Labels = nil }
	pods := []*corev1.Pod{
		testPod("mine", ownedBy("me")), testPod("strayed", ownedBy("me"), other), testPod("orphan"),
		testPod("leaving-orphan", leaving), testPod("others", ownedBy("you")), testPod("unlike", other),
	}
	selector := labels.SelectorFromSet(labels.Set{"app": "web"})
	c := claim(owner, selector, pods)
	if !slices.Equal(names(c.owned), []string{"mine"}) || !slices.Equal(names(c.adopt), []string{"orphan"}) ||
		!slices.Equal(names(c.release), []string{"strayed"}) {
		t.Errorf("owned %v, adopt %v, release %v", names(c.owned), names(c.adopt), names(c.release))
	}
	owner.DeletionTimestamp = ptr.To(ago(0))
	if c := claim(owner, selector, pods); len(c.owned) != 1 || len(c.adopt)+len(c.release) != 0 {
		t.Errorf("one that is being deleted adopts %v and releases %v", names(c.adopt), names(c.release))
	}
}

func names(pods []*corev1.Pod) []string {
	var all []string
	for _, p := range pods {
		all = append(all, p.Name)
	}
	return all
}

func TestPlanPodGC(t *testing.T) {
	done := func(age time.Duration) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Status.Phase, p.CreationTimestamp = corev1.PodSucceeded, ago(age) }
	}
	evicted := func(p *corev1.Pod) {
		done(time.Second)(p)
		p.Status.Phase, p.Status.Reason = corev1.PodFailed, "Evicted"
	}
	plan := planPodGC([]*corev1.Pod{
		testPod("well"), testPod("lost", onNode("lost")), testPod("waiting", unscheduled), testPod("never", unscheduled, leaving),
		testPod("stays", onNode("off")), testPod("ends", onNode("off"), leaving), testPod("leaves", leaving),
		testPod("new", done(time.Minute)), testPod("old", done(time.Hour)), testPod("evicted", evicted), testPod("middle", done(2*time.Minute)),
	}, func(node string) nodeState {
		return map[string]nodeState{"lost": nodeGone, "off": nodeOutOfService}[node]
	}, 2)
	const want = "delete default/lost: its node is gone; delete default/never: it was never scheduled; " +
		"delete default/ends: its node is out of service; " +
		"delete default/evicted: it has finished, as have many others; delete default/old: it has finished, as have many others"
	if got := plan.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlanNamespace(t *testing.T) {
	ns := func(mutate ...func(*corev1.Namespace)) *corev1.Namespace {
		n := &corev1.Namespace{Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}}}
		n.DeletionTimestamp = ptr.To(ago(0))
		for _, m := range mutate {
			m(n)
		}
		return n
	}
	for _, test := range []struct {
		name     string
		ns       *corev1.Namespace
		contents []content
		want     string
	}{
		{"in use", ns(func(n *corev1.Namespace) { n.DeletionTimestamp = nil }), []content{{kind.Pod, 1, 1, nil}}, "delete [], wait for [], finalize false"},
		{"full", ns(), []content{{kind.Pod, 3, 2, nil}, {kind.Secret, 1, 0, nil}, {kind.Event, 0, 0, nil}}, "delete [pods], wait for [3 pods 1 secrets], finalize false"},
		{"empty", ns(), []content{{kind.Pod, 0, 0, nil}}, "delete [], wait for [], finalize true"},
		{"somebody else's finalizer", ns(func(n *corev1.Namespace) { n.Spec.Finalizers = []corev1.FinalizerName{"x"} }), nil, "delete [], wait for [], finalize false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := planNamespace(test.ns, test.contents).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRemains(t *testing.T) {
	var said []string
	for _, c := range remains([]content{{kind.ConfigMap, 2, 0, map[string]int{"a.io/b": 2, "a.io/a": 1}}, {kind.Deployment, 1, 0, nil}, {kind.Pod, 0, 0, nil}}) {
		said = append(said, fmt.Sprintf("%s %s: %s", c.Type, c.Status, c.Message))
	}
	want := []string{
		"NamespaceContentRemaining True: Some resources are remaining: configmaps. has 2 resource instances, deployments.apps has 1 resource instances",
		"NamespaceFinalizersRemaining True: Some content in the namespace has finalizers remaining: a.io/a in 1 resource instances, a.io/b in 2 resource instances",
	}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
	old := []corev1.NamespaceCondition{{Type: corev1.NamespaceContentRemaining, Status: corev1.ConditionTrue, LastTransitionTime: ago(5)}}
	if got := withCondition(old, remains([]content{{kind.Pod, 1, 0, nil}})[0], ago(0)); len(got) != 1 || got[0].LastTransitionTime != ago(5) || got[0].Message == "" {
		t.Errorf("%+v", got)
	}
}

func TestLastSeen(t *testing.T) {
	for raw, want := range map[string]string{
		`{"metadata":{"creationTimestamp":"2030-01-01T10:00:00Z"}}`:                                                             "2030-01-01T10:00:00Z",
		`{"metadata":{"creationTimestamp":"2030-01-01T10:00:00Z"},"lastTimestamp":"2030-01-01T11:00:00Z"}`:                      "2030-01-01T11:00:00Z",
		`{"metadata":{},"eventTime":"2030-01-01T11:30:00.500000Z","series":{"lastObservedTime":"2030-01-01T12:00:00.000000Z"}}`: "2030-01-01T12:00:00Z",
		`{"metadata":`: "0001-01-01T00:00:00Z",
	} {
		if got := lastSeen([]byte(raw)).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}
