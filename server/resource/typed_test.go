package resource_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

func TestTyped(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	client := resource.For[*corev1.Pod](a, kind.Pod, "system:test")
	pod := newPod("p")
	pod.Namespace = "default"
	made, err := client.Create(ctx, pod)
	if err != nil || made.UID == "" || made.ManagedFields[0].Manager != "system:test" {
		t.Fatalf("got %+v, %v", made, err)
	}
	if got, ok := client.Get("default", "p"); !ok || got != made {
		t.Errorf("got %p, %t instead of the shared %p", got, ok, made)
	}
	if _, ok := client.Get("default", "q"); ok {
		t.Error("there is a q")
	}
	if all := client.List("", func(p *corev1.Pod) bool { return p.Labels["app"] == "web" }); len(all) != 1 {
		t.Errorf("got %d pods", len(all))
	}
	if none := client.List("other", nil); len(none) != 0 {
		t.Errorf("got %d pods", len(none))
	}
	t.Run("update", func(t *testing.T) {
		got, err := client.Update(ctx, "default", "p", func(p *corev1.Pod) error { p.Labels["x"] = "1"; return nil })
		if err != nil || got.Labels["x"] != "1" || made.Labels["x"] != "" {
			t.Errorf("got %v, %v", got.Labels, err)
		}
		same, err := client.Update(ctx, "default", "p", func(p *corev1.Pod) error { p.Labels["x"] = "1"; return nil })
		if err != nil || same.ResourceVersion != got.ResourceVersion {
			t.Errorf("nothing changes, but revision %s became %s, %v", got.ResourceVersion, same.ResourceVersion, err)
		}
	})
	t.Run("status", func(t *testing.T) {
		got, err := client.UpdateStatus(ctx, "default", "p", func(p *corev1.Pod) error { p.Status.Message = "m"; p.Spec.NodeName = "n"; return nil })
		if err != nil || got.Status.Message != "m" || got.Spec.NodeName != "" {
			t.Errorf("got %q, %q, %v", got.Status.Message, got.Spec.NodeName, err)
		}
	})
	t.Run("a refusal", func(t *testing.T) {
		no := errors.New("no")
		if _, err := client.Update(ctx, "default", "p", func(*corev1.Pod) error { return no }); !errors.Is(err, no) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("delete", func(t *testing.T) {
		if err := client.Delete(ctx, "default", "p", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if _, ok := client.Get("default", "p"); ok {
			t.Error("it is still there")
		}
	})
}

func TestUpdateMany(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	const n = 300 // more than one transaction takes
	change := func(i int, mutate func(*corev1.Pod) error) resource.Change {
		tg := pods(fmt.Sprintf("p-%d", i))
		tg.Subresource = resource.Binding
		return resource.Change{Target: tg, Mutate: func(obj runtime.Object) error { return mutate(obj.(*corev1.Pod)) }}
	}
	to := func(node string) func(*corev1.Pod) error {
		return func(p *corev1.Pod) error { p.Spec.NodeName = node; return nil }
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < n; i += 4 {
				create(t, a, pods(""), newPod(fmt.Sprintf("p-%d", i)))
			}
		})
	}
	wg.Wait()
	bind(t, a, "p-7", "elsewhere")
	refusal := errors.New("no")
	var changes []resource.Change
	for i := range n {
		changes = append(changes, change(i, to("node-1")))
	}
	changes[8].Mutate = func(runtime.Object) error { return refusal }
	meddled := false
	changes[9].Mutate = func(obj runtime.Object) error {
		if !meddled { // somebody is faster
			meddled = true
			faster := obj.(*corev1.Pod).DeepCopy()
			faster.Labels["faster"] = "yes"
			update(t, a, pods("p-9"), faster)
		}
		return to("node-1")(obj.(*corev1.Pod))
	}
	changes = append(changes, change(n, to("node-1")), change(3, to("node-2")))
	errs := a.UpdateMany(ctx, changes)
	for i, err := range errs {
		switch i {
		case 7, n + 1:
			reason(t, err, metav1.StatusReasonConflict)
		case 8:
			if !errors.Is(err, refusal) {
				t.Errorf("got %v", err)
			}
		case n:
			reason(t, err, metav1.StatusReasonNotFound)
		default:
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	}
	bound := list(t, a, pods(""), metav1.ListOptions{FieldSelector: "spec.nodeName=node-1"})
	if len(bound.Items) != n-2 {
		t.Errorf("%d are bound", len(bound.Items))
	}
	nine := object[*corev1.Pod](t, must(a.Get(ctx, pods("p-9"), metav1.GetOptions{}))(t))
	if nine.Labels["faster"] != "yes" || nine.Spec.NodeName != "node-1" {
		t.Errorf("got %v on %q", nine.Labels, nine.Spec.NodeName)
	}
}

func TestFollow(t *testing.T) {
	a := newAPI(t)
	ctx, stop := context.WithCancel(context.Background())
	create(t, a, configMaps(""), newConfigMap("a", nil))
	var told []string
	done := make(chan error, 1)
	events := make(chan store.Event, 16)
	synced := make(chan struct{})
	go func() {
		done <- a.Follow(ctx, kind.ConfigMap, func() { close(synced) }, func(e store.Event) { events <- e })
	}()
	<-synced
	create(t, a, configMaps(""), newConfigMap("b", nil))
	update(t, a, configMaps("a"), newConfigMap("a", map[string]string{"x": "1"}))
	remove(t, a, configMaps("b"), metav1.DeleteOptions{})
	for len(told) < 4 {
		e := <-events
		told = append(told, fmt.Sprintf("%s %s", e.Type, e.Item.Key.Name))
	}
	if got, want := strings.Join(told, ", "), "ADDED a, ADDED b, MODIFIED a, DELETED b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestFollowFallsBehind has more changes happen in one call than a store keeps.
func TestFollowFallsBehind(t *testing.T) {
	a := newAPI(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	create(t, a, configMaps(""), newConfigMap("gone", nil))
	create(t, a, configMaps(""), newConfigMap("changed", nil))
	create(t, a, configMaps(""), newConfigMap("again", nil))
	state, again := map[string]string{}, []watch.EventType{}
	done := make(chan error, 1)
	go func() {
		done <- a.Follow(ctx, kind.ConfigMap, nil, func(e store.Event) {
			if e.Item.Key.Name == "changed" && e.Type == watch.Added {
				remove(t, a, configMaps("gone"), metav1.DeleteOptions{})
				remove(t, a, configMaps("again"), metav1.DeleteOptions{})
				create(t, a, configMaps(""), newConfigMap("again", map[string]string{"round": "new"}))
				update(t, a, configMaps("changed"), newConfigMap("changed", map[string]string{"round": "new"}))
				churn(t, a)
				create(t, a, configMaps(""), newConfigMap("last", nil))
			}
			name := e.Item.Key.Name
			if name == "again" {
				again = append(again, e.Type)
			}
			if delete(state, name); e.Type != watch.Deleted && !strings.HasPrefix(name, "churn") {
				state[name] = object[*corev1.ConfigMap](t, e.Item).Data["round"]
			}
			if _, ok := state["last"]; ok {
				stop()
			}
		})
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(state); got != "map[again:new changed:new last:]" {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprint(again); got != "[ADDED DELETED ADDED]" {
		t.Errorf("what was deleted and made again: %s", got)
	}
}
