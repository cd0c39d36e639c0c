package controller

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
	"leme/server/store"
	"leme/server/store/storetest"
)

// sweepEnvironment is a real store two hours before its controllers' time, and a namespace in it.
func sweepEnvironment(t *testing.T) *environment {
	t.Helper()
	e := &environment{
		Config: Config{EventTTL: time.Hour},
		api:    resource.New(storetest.New(t), kind.All()),
		now:    func() time.Time { return time.Now().Add(2 * time.Hour) },
	}
	e.events = event.NewRecorder(resource.For[*corev1.Event](e.api, kind.Event, "tester"), "test")
	resourcetest.Namespace(t, e.api, "default", nil)
	return e
}

// runUntilDeleted runs a component until an object of a kind is gone.
func runUntilDeleted(t *testing.T, e *environment, c component, k *kind.Kind, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	gone, done := false, make(chan error, 1)
	watching := func() { go func() { done <- c.Run(ctx) }() }
	err := e.api.Follow(ctx, k, watching, func(ev store.Event) {
		if ev.Type == watch.Deleted && ev.Item.Key.Name == name {
			gone = true
			cancel()
		}
	})
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err != nil || !gone {
		t.Errorf("%s is still there, %v", name, err)
	}
}

func TestOldEventsAreRemoved(t *testing.T) {
	e := sweepEnvironment(t)
	_, err := resource.For[*corev1.Event](e.api, kind.Event, "tester").Create(t.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: "default", Name: "old"},
		InvolvedObject: corev1.ObjectReference{Namespace: "default", Kind: "Pod", Name: "p"},
	})
	if err != nil {
		t.Fatal(err)
	}
	runUntilDeleted(t, e, newEventTTL(e), kind.Event, "old")
}

func TestPodsOfMissingNodesAreRemoved(t *testing.T) {
	e := sweepEnvironment(t)
	pods := resource.For[*corev1.Pod](e.api, kind.Pod, "tester")
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "p"},
		Spec:       corev1.PodSpec{NodeName: "gone", Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	gc := podGCOf(e)
	if again, err := gc.reconcile(t.Context(), sweep{}); err != nil || again != podSweep {
		t.Fatalf("again in %v, %v", again, err)
	}
	if _, there := pods.Get("default", "p"); !there {
		t.Fatal("removed before its node had time to come")
	}
	now := e.now()
	gc.now = func() time.Time { return now.Add(lostNodeWait) }
	if _, err := gc.reconcile(t.Context(), sweep{}); err != nil {
		t.Fatal(err)
	}
	if _, there := pods.Get("default", "p"); there {
		t.Error("still there")
	}
}

// TestPodsOfNodesOutOfServiceEnd has somebody vouch that a node is off: what was to end there has ended, and failed.
func TestPodsOfNodesOutOfServiceEnd(t *testing.T) {
	e := sweepEnvironment(t)
	pods := resource.For[*corev1.Pod](e.api, kind.Pod, "tester")
	nodes := resource.For[*corev1.Node](e.api, kind.Node, "tester")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(nodes.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "off"}}))
	for _, name := range []string{"ends", "stays"} {
		must(pods.Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
			Spec:       corev1.PodSpec{NodeName: "off", Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
		}))
	}
	must(nil, pods.Delete(t.Context(), "default", "ends", metav1.DeleteOptions{}))
	sweepOnce := func() {
		t.Helper()
		if _, err := podGCOf(e).reconcile(t.Context(), sweep{}); err != nil {
			t.Fatal(err)
		}
	}
	sweepOnce()
	if _, there := pods.Get("default", "ends"); !there {
		t.Fatal("removed though its node may still run it")
	}
	must(nodes.Update(t.Context(), "", "off", func(n *corev1.Node) error {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute})
		return nil
	}))
	sweepOnce()
	if _, there := pods.Get("default", "ends"); there {
		t.Error("still there")
	}
	if _, there := pods.Get("default", "stays"); !there {
		t.Error("removed though nobody deleted it")
	}
}
