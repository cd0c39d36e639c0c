package resource

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"pgregory.net/rapid"

	"leme/server/kind"
	"leme/server/store"
	"leme/server/store/storetest"
)

func TestPlanDeletion(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	running := func(mutate func(*corev1.Pod)) *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Generation: 1}}
		pod.Spec.NodeName, pod.Spec.TerminationGracePeriodSeconds = "n", new(int64(30))
		if mutate != nil {
			mutate(pod)
		}
		return pod
	}
	leaving := func(grace int64) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.DeletionTimestamp = timestamp(now.Add(time.Duration(grace) * time.Second))
			p.DeletionGracePeriodSeconds = &grace
		}
	}
	orphaning := metav1.DeleteOptions{OrphanDependents: new(true)} //nolint:staticcheck // old clients still say it this way
	type want struct {
		remove     bool
		nothing    bool
		after      int64 // seconds from now that the object is to be gone
		grace      int64
		generation int64
		finalizers []string
	}
	for _, test := range []struct {
		name string
		pod  *corev1.Pod
		o    metav1.DeleteOptions
		want want
	}{
		{"runs", running(nil), metav1.DeleteOptions{}, want{after: 30, grace: 30, generation: 2}},
		{"runs, 5 s are enough", running(nil), metav1.DeleteOptions{GracePeriodSeconds: new(int64(5))}, want{after: 5, grace: 5, generation: 2}},
		{"runs, a negative grace is 1 s", running(nil), metav1.DeleteOptions{GracePeriodSeconds: new(int64(-5))}, want{after: 1, grace: 1, generation: 2}},
		{"runs, now", running(nil), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}, want{remove: true}},
		{"has no node", running(func(p *corev1.Pod) { p.Spec.NodeName = "" }), metav1.DeleteOptions{}, want{remove: true}},
		{"is finished", running(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }), metav1.DeleteOptions{}, want{remove: true}},
		{"leaves", running(leaving(30)), metav1.DeleteOptions{}, want{nothing: true}},
		{"leaves, sooner", running(leaving(30)), metav1.DeleteOptions{GracePeriodSeconds: new(int64(10))}, want{after: 10, grace: 10, generation: 1}},
		{"leaves, its agent is done", running(leaving(30)), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}, want{remove: true}},
		{"is finished, with finalizer", running(func(p *corev1.Pod) {
			p.Status.Phase, p.Finalizers = corev1.PodFailed, []string{"a/b"}
		}), metav1.DeleteOptions{}, want{generation: 2, finalizers: []string{"a/b"}}},
		{"runs, foreground", running(nil), metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationForeground)},
			want{after: 30, grace: 30, generation: 2, finalizers: []string{metav1.FinalizerDeleteDependents}}},
		{"has no node, orphans, said the old way", running(func(p *corev1.Pod) { p.Spec.NodeName = "" }), orphaning,
			want{generation: 2, finalizers: []string{metav1.FinalizerOrphanDependents}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := test.pod.DeepCopy()
			got := planDeletion(kind.Pod, test.pod, test.o, now)
			if !slices.Equal(before.Finalizers, test.pod.Finalizers) || before.Generation != test.pod.Generation {
				t.Error("the object was modified")
			}
			if got.remove != test.want.remove || (got.update == nil) != (test.want.remove || test.want.nothing) {
				t.Fatalf("got %+v", got)
			}
			if got.update == nil {
				return
			}
			m := metaOf(got.update)
			if after := int64(m.GetDeletionTimestamp().Sub(now).Seconds()); after != test.want.after || *m.GetDeletionGracePeriodSeconds() != test.want.grace {
				t.Errorf("gone after %d s with grace %d", after, *m.GetDeletionGracePeriodSeconds())
			}
			if m.GetGeneration() != test.want.generation || !slices.Equal(m.GetFinalizers(), test.want.finalizers) {
				t.Errorf("got generation %d, finalizers %v", m.GetGeneration(), m.GetFinalizers())
			}
		})
	}
}

func TestContinueTokens(t *testing.T) {
	pods, nodes := Target{Kind: kind.Pod, Namespace: "ns"}, Target{Kind: kind.Node}
	rapid.Check(t, func(r *rapid.T) {
		key := store.Key{GroupResource: pods.resource(), Namespace: "ns", Name: rapid.StringN(1, 253, -1).Draw(r, "name")}
		revision := rapid.Int64Range(1, 1<<62).Draw(r, "revision")
		got, err := parseContinue(pods, continueAfter(key, revision))
		if err != nil || got.Name != strings.ToValidUTF8(key.Name, "�") || got.Namespace != "ns" || got.Revision != revision {
			r.Fatalf("got %+v, %v", got, err)
		}
	})
	key := store.Key{GroupResource: pods.resource(), Namespace: "ns", Name: "p"}
	for name, test := range map[string]struct {
		t     Target
		token string
	}{
		"another resource":  {nodes, continueAfter(key, 5)},
		"another namespace": {Target{Kind: kind.Pod, Namespace: "other"}, continueAfter(key, 5)},
		"no revision":       {pods, continueAfter(key, 0)},
		"no namespace":      {Target{Kind: kind.Pod}, continueAfter(store.Key{GroupResource: pods.resource(), Name: "p"}, 5)},
		"no token":          {pods, "%"},
		"too long":          {pods, strings.Repeat("a", maxToken+1)},
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := parseContinue(test.t, test.token); err == nil {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestUnchanged(t *testing.T) {
	key := store.Key{GroupResource: kind.ConfigMap.GroupResource(), Namespace: "ns", Name: "a"}
	const stored = `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}`
	it := newItem(key, 12, []byte(stored), &corev1.ConfigMap{})
	for other, want := range map[string]bool{
		stored: true,
		`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"b"}}`:            false,
		`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{}}`:  false,
		`{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"a"}}`:            false,
		`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"},"type":"long"}`: false,
	} {
		if got := unchanged(it, []byte(other)); got != want {
			t.Errorf("%s: got %t", other, got)
		}
	}
	if later, err := at(it, 1234); err != nil || string(later.JSON) != strings.Replace(string(it.JSON), `"12"`, `"1234"`, 1) {
		t.Errorf("got %s, %v", later.JSON, err)
	}
}

func TestGenerateName(t *testing.T) {
	tried := 0
	name := generateName("a-", func(string) bool { tried++; return tried == 3 })
	if tried != 3 || len(name) != 7 {
		t.Errorf("got %q after %d", name, tried)
	}
}

func TestBookmarks(t *testing.T) {
	a := New(storetest.New(t), kind.All())
	namespaces := Target{Kind: kind.Namespace}
	w, err := a.Watch(t.Context(), namespaces, metav1.ListOptions{AllowWatchBookmarks: true})
	if err != nil {
		t.Fatal(err)
	}
	it, err := a.Create(t.Context(), namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if events, err := w.Next(t.Context()); err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	w.due = time.Now().Add(5 * time.Millisecond)
	events, err := w.Next(t.Context())
	if err != nil || events[0].Type != watch.Bookmark || events[0].Item.Revision < it.Revision {
		t.Fatalf("got %v, %v after revision %d", events, err, it.Revision)
	}
	if until := time.Until(w.due); until < bookmarkEvery/2 {
		t.Errorf("the next one is due in %s", until)
	}
}

// TestInconsistentContinue goes on with a list whose first page's revision is gone.
func TestInconsistentContinue(t *testing.T) {
	a := New(storetest.New(t), kind.All())
	namespaces := Target{Kind: kind.Namespace}
	for _, name := range []string{"a", "b", "c"} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := a.Create(t.Context(), namespaces, ns, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	err := expiredContinue(namespaces, continuation{Revision: 2, Name: "a"})
	if !apierrors.IsResourceExpired(err) {
		t.Fatalf("got %v", err)
	}
	token := err.(apierrors.APIStatus).Status().Continue
	list, err := a.List(t.Context(), namespaces, metav1.ListOptions{Continue: token, Limit: 1})
	if err != nil || len(list.Items) != 1 || list.Items[0].Key.Name != "b" || list.Continue == "" || *list.Remaining != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestManagerOf(t *testing.T) {
	for user, want := range map[string]string{
		"":                       "unknown",
		"system:node:a":          "system:node:a",
		"jürgen\n":               "j_rgen_",
		strings.Repeat("x", 200): strings.Repeat("x", 128),
	} {
		if got := managerOf(Target{User: user}, ""); got != want {
			t.Errorf("%q: got %q, want %q", user, got, want)
		}
	}
	if got := managerOf(Target{User: "u"}, "kubectl"); got != "kubectl" {
		t.Errorf("got %q", got)
	}
}
