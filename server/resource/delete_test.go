package resource_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

func remove(t testing.TB, a *resource.API, tg resource.Target, o metav1.DeleteOptions) (it *store.Item, gone bool) {
	t.Helper()
	it, gone, err := a.Delete(context.Background(), tg, o)
	if err != nil {
		t.Fatal(err)
	}
	return it, gone
}

func isGone(t testing.TB, a *resource.API, tg resource.Target) {
	t.Helper()
	_, err := a.Get(context.Background(), tg, metav1.GetOptions{})
	reason(t, err, metav1.StatusReasonNotFound)
}

// newRunning is a pod on a node.
func newRunning(t testing.TB, a *resource.API, name string) {
	t.Helper()
	create(t, a, pods(""), newPod(name))
	bind(t, a, name, "node-1")
}

func bind(t testing.TB, a *resource.API, name, node string) *store.Item {
	t.Helper()
	tg := pods(name)
	tg.Subresource = resource.Binding
	return create(t, a, tg, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: name}, Target: corev1.ObjectReference{Kind: "Node", Name: node}})
}

func TestDelete(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	t.Run("at once", func(t *testing.T) {
		created := create(t, a, configMaps(""), newConfigMap("cm", nil))
		it, gone := remove(t, a, configMaps("cm"), metav1.DeleteOptions{})
		if !gone || it.Revision <= created.Revision || object[*corev1.ConfigMap](t, it).ResourceVersion != fmt.Sprint(it.Revision) {
			t.Errorf("got %t, %s", gone, it.JSON)
		}
		isGone(t, a, configMaps("cm"))
		_, _, err := a.Delete(ctx, configMaps("cm"), metav1.DeleteOptions{})
		reason(t, err, metav1.StatusReasonNotFound)
	})
	t.Run("dry run", func(t *testing.T) {
		create(t, a, configMaps(""), newConfigMap("dry", nil))
		if _, gone := remove(t, a, configMaps("dry"), metav1.DeleteOptions{DryRun: []string{"All"}}); !gone {
			t.Error("it would stay")
		}
		must(a.Get(ctx, configMaps("dry"), metav1.GetOptions{}))(t)
	})
	t.Run("preconditions", func(t *testing.T) {
		it := create(t, a, configMaps(""), newConfigMap("pre", nil))
		for _, p := range []*metav1.Preconditions{{UID: new(types.UID("x"))}, {ResourceVersion: new("1")}} {
			_, _, err := a.Delete(ctx, configMaps("pre"), metav1.DeleteOptions{Preconditions: p})
			reason(t, err, metav1.StatusReasonConflict)
		}
		uid := object[*corev1.ConfigMap](t, it).UID
		p := &metav1.Preconditions{UID: &uid, ResourceVersion: new(fmt.Sprint(it.Revision))}
		if _, gone := remove(t, a, configMaps("pre"), metav1.DeleteOptions{Preconditions: p}); !gone {
			t.Error("it stays")
		}
	})
	t.Run("finalizers", func(t *testing.T) {
		cm := newConfigMap("final", nil)
		cm.Finalizers = []string{"leme.test/wait"}
		create(t, a, configMaps(""), cm)
		it, gone := remove(t, a, configMaps("final"), metav1.DeleteOptions{})
		if gone || object[*corev1.ConfigMap](t, it).DeletionTimestamp == nil {
			t.Fatalf("got %t, %s", gone, it.JSON)
		}
		if again, gone := remove(t, a, configMaps("final"), metav1.DeleteOptions{}); gone || again.Revision != it.Revision {
			t.Errorf("a second deletion: %t, revision %d became %d", gone, it.Revision, again.Revision)
		}
		_, err := a.Create(ctx, configMaps(""), newConfigMap("final", nil), metav1.CreateOptions{})
		if want := `object is being deleted: configmaps "final" already exists`; err == nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
		left := object[*corev1.ConfigMap](t, it).DeepCopy()
		left.Finalizers = append(left.Finalizers, "leme.test/more")
		_, _, err = a.Update(ctx, configMaps("final"), left, metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonInvalid)
		left.Finalizers = nil
		update(t, a, configMaps("final"), left)
		isGone(t, a, configMaps("final"))
	})
	t.Run("propagation", func(t *testing.T) {
		for policy, finalizer := range map[metav1.DeletionPropagation]string{
			metav1.DeletePropagationForeground: metav1.FinalizerDeleteDependents,
			metav1.DeletePropagationOrphan:     metav1.FinalizerOrphanDependents,
		} {
			create(t, a, configMaps(""), newConfigMap("owner", nil))
			it, gone := remove(t, a, configMaps("owner"), metav1.DeleteOptions{PropagationPolicy: &policy})
			if gone || !slices.Equal(object[*corev1.ConfigMap](t, it).Finalizers, []string{finalizer}) {
				t.Fatalf("%s: got %t, %s", policy, gone, it.JSON)
			}
			background := metav1.DeletePropagationBackground
			if _, gone := remove(t, a, configMaps("owner"), metav1.DeleteOptions{PropagationPolicy: &background}); !gone {
				t.Errorf("%s: a deletion in the background does not end it", policy)
			}
		}
	})
}

func TestDeletePod(t *testing.T) {
	a := newAPI(t)
	t.Run("without a node", func(t *testing.T) {
		create(t, a, pods(""), newPod("waiting"))
		if _, gone := remove(t, a, pods("waiting"), metav1.DeleteOptions{}); !gone {
			t.Error("it stays")
		}
	})
	t.Run("that runs", func(t *testing.T) {
		newRunning(t, a, "running")
		it, gone := remove(t, a, pods("running"), metav1.DeleteOptions{})
		pod := object[*corev1.Pod](t, it)
		if gone || *pod.DeletionGracePeriodSeconds != 30 || pod.DeletionTimestamp == nil {
			t.Fatalf("got %t, %s", gone, it.JSON)
		}
		if same, _ := remove(t, a, pods("running"), metav1.DeleteOptions{GracePeriodSeconds: new(int64(60))}); same.Revision != it.Revision {
			t.Error("a longer grace changes something")
		}
		shorter, _ := remove(t, a, pods("running"), metav1.DeleteOptions{GracePeriodSeconds: new(int64(10))})
		ten := object[*corev1.Pod](t, shorter)
		if *ten.DeletionGracePeriodSeconds != 10 || pod.DeletionTimestamp.Sub(ten.DeletionTimestamp.Time).Seconds() != 20 {
			t.Errorf("got %d s, %s instead of %s", *ten.DeletionGracePeriodSeconds, ten.DeletionTimestamp, pod.DeletionTimestamp)
		}
		if _, gone := remove(t, a, pods("running"), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); !gone {
			t.Error("it stays after its agent is done")
		}
	})
	t.Run("by eviction", func(t *testing.T) {
		newRunning(t, a, "evicted")
		tg := pods("evicted")
		tg.Subresource = resource.Eviction
		it := create(t, a, tg, &policyv1.Eviction{
			ObjectMeta: metav1.ObjectMeta{Name: "evicted"}, DeleteOptions: &metav1.DeleteOptions{GracePeriodSeconds: new(int64(7))},
		})
		if pod := object[*corev1.Pod](t, it); pod.DeletionTimestamp == nil || *pod.DeletionGracePeriodSeconds != 7 {
			t.Errorf("got %s", it.JSON)
		}
	})
}

func TestDeleteNamespace(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	tg := target(kind.Namespace, "", "ns")
	create(t, a, tg.Named(""), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns"}})
	it, gone := remove(t, a, tg, metav1.DeleteOptions{})
	ns := object[*corev1.Namespace](t, it)
	if gone || ns.Status.Phase != corev1.NamespaceTerminating || ns.DeletionTimestamp == nil {
		t.Fatalf("got %t, %s", gone, it.JSON)
	}
	if again, gone := remove(t, a, tg, metav1.DeleteOptions{}); gone || again.Revision != it.Revision {
		t.Error("a second deletion changes something")
	}
	ns = ns.DeepCopy()
	ns.Spec.Finalizers = nil
	if kept := object[*corev1.Namespace](t, update(t, a, tg, ns.DeepCopy())); len(kept.Spec.Finalizers) != 1 {
		t.Error("an update takes the finalizer away")
	}
	finalize := tg
	finalize.Subresource = resource.Finalize
	ns.ResourceVersion = ""
	update(t, a, finalize, ns)
	isGone(t, a, tg)

	_, _, err := a.Delete(ctx, target(kind.Namespace, "", "default"), metav1.DeleteOptions{})
	reason(t, err, metav1.StatusReasonForbidden)
}

func TestDeleteCollection(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	for i := range 20 {
		cm := newConfigMap(fmt.Sprintf("cm-%d", i), nil)
		cm.Labels = map[string]string{"even": fmt.Sprint(i%2 == 0)}
		create(t, a, configMaps(""), cm)
	}
	list, err := a.DeleteCollection(ctx, configMaps(""), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "even=true"})
	if err != nil || len(list.Items) != 10 {
		t.Fatalf("got %v, %v", list, err)
	}
	left, err := a.List(ctx, configMaps(""), metav1.ListOptions{})
	if err != nil || len(left.Items) != 10 {
		t.Errorf("%d are left, %v", len(left.Items), err)
	}
}

func TestBinding(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, pods(""), newPod("p"))
	pod := object[*corev1.Pod](t, bind(t, a, "p", "node-1"))
	if pod.Spec.NodeName != "node-1" || len(pod.Status.Conditions) != 1 || pod.Status.Conditions[0].Status != corev1.ConditionTrue {
		t.Errorf("got %q, %+v", pod.Spec.NodeName, pod.Status.Conditions)
	}
	tg := pods("p")
	tg.Subresource = resource.Binding
	for name, test := range map[string]struct {
		binding corev1.Binding
		reason  metav1.StatusReason
	}{
		"a second node":  {corev1.Binding{Target: corev1.ObjectReference{Name: "node-2"}}, metav1.StatusReasonConflict},
		"no node":        {corev1.Binding{}, metav1.StatusReasonInvalid},
		"no node's kind": {corev1.Binding{Target: corev1.ObjectReference{Kind: "Minion", Name: "node-2"}}, metav1.StatusReasonInvalid},
		"another pod":    {corev1.Binding{ObjectMeta: metav1.ObjectMeta{UID: "x"}, Target: corev1.ObjectReference{Name: "node-2"}}, metav1.StatusReasonConflict},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Create(ctx, tg, &test.binding, metav1.CreateOptions{})
			reason(t, err, test.reason)
		})
	}
}
