package resource_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

func update(t testing.TB, a *resource.API, tg resource.Target, obj runtime.Object) *store.Item {
	t.Helper()
	it, _, err := a.Update(context.Background(), tg, obj, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func TestUpdate(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	first := create(t, a, configMaps(""), newConfigMap("cm", map[string]string{"a": "1"}))
	cm := object[*corev1.ConfigMap](t, first)

	t.Run("nothing changes", func(t *testing.T) {
		if it := update(t, a, configMaps("cm"), cm.DeepCopy()); it.Revision != first.Revision {
			t.Errorf("revision %d became %d", first.Revision, it.Revision)
		}
	})
	second := cm.DeepCopy()
	second.Data["a"] = "2"
	it := update(t, a, configMaps("cm"), second)
	if it.Revision <= first.Revision || object[*corev1.ConfigMap](t, it).Data["a"] != "2" {
		t.Fatalf("got %s", it.JSON)
	}
	t.Run("an old revision", func(t *testing.T) {
		stale := cm.DeepCopy()
		stale.Data["a"] = "3"
		_, _, err := a.Update(ctx, configMaps("cm"), stale, metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonConflict)
		if want := `Operation cannot be fulfilled on configmaps "cm": the object has been modified; please apply your changes to the latest version and try again`; err.Error() != want {
			t.Errorf("got %q", err)
		}
	})
	t.Run("a revision that is not there yet", func(t *testing.T) {
		early := cm.DeepCopy()
		early.ResourceVersion = "1000000"
		_, _, err := a.Update(ctx, configMaps("cm"), early, metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonConflict)
	})
	t.Run("whatever there is", func(t *testing.T) {
		if it := update(t, a, configMaps("cm"), newConfigMap("cm", map[string]string{"b": "1"})); object[*corev1.ConfigMap](t, it).UID != cm.UID {
			t.Error("the UID changed")
		}
	})
	t.Run("dry run", func(t *testing.T) {
		it, _, err := a.Update(ctx, configMaps("cm"), newConfigMap("cm", map[string]string{"dry": "1"}), metav1.UpdateOptions{DryRun: []string{"All"}})
		if err != nil || object[*corev1.ConfigMap](t, it).Data["dry"] != "1" {
			t.Errorf("got %v, %v", it, err)
		}
		if it := must(a.Get(ctx, configMaps("cm"), metav1.GetOptions{}))(t); object[*corev1.ConfigMap](t, it).Data["dry"] != "" {
			t.Error("it was written")
		}
	})
	for _, test := range []struct {
		name   string
		mutate func(*corev1.ConfigMap)
		reason metav1.StatusReason
		says   string
	}{
		{"another name", func(cm *corev1.ConfigMap) { cm.Name = "other" }, metav1.StatusReasonBadRequest, "the name of the object (other) does not match the name on the URL (cm)"},
		{"no name", func(cm *corev1.ConfigMap) { cm.Name = "" }, metav1.StatusReasonBadRequest, "name must be provided"},
		{"another UID", func(cm *corev1.ConfigMap) { cm.UID = "other" }, metav1.StatusReasonConflict, "Precondition failed: UID in precondition: other"},
		{"a deletion timestamp", func(cm *corev1.ConfigMap) { cm.DeletionTimestamp = new(metav1.Now()) }, metav1.StatusReasonInvalid, "metadata.deletionTimestamp: Invalid value"},
		{"a revision that is no number", func(cm *corev1.ConfigMap) { cm.ResourceVersion = "x" }, metav1.StatusReasonBadRequest, "resourceVersion"},
		{"a finalizer that is no name", func(cm *corev1.ConfigMap) { cm.Finalizers = []string{"a b"} }, metav1.StatusReasonInvalid, "metadata.finalizers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cm := newConfigMap("cm", nil)
			test.mutate(cm)
			_, _, err := a.Update(ctx, configMaps("cm"), cm, metav1.UpdateOptions{})
			reason(t, err, test.reason)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, want %q in it", err, test.says)
			}
		})
	}
	t.Run("what is not there", func(t *testing.T) {
		_, _, err := a.Update(ctx, configMaps("none"), newConfigMap("none", nil), metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonNotFound)
	})
}

func TestUpdateByKind(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	t.Run("a lease insists on its revision", func(t *testing.T) {
		leases := target(kind.Lease, "default", "l")
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "l"}}
		create(t, a, leases.Named(""), lease.DeepCopy())
		_, _, err := a.Update(ctx, leases, lease, metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonInvalid)
	})
	t.Run("an event is made by its update", func(t *testing.T) {
		events := target(kind.Event, "default", "e")
		event := &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: "e", Namespace: "default"},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "p"},
		}
		_, created, err := a.Update(ctx, events, event, metav1.UpdateOptions{})
		if !created || err != nil {
			t.Errorf("got created %t, %v", created, err)
		}
	})
	t.Run("a pod's status and the rest", func(t *testing.T) {
		pod := object[*corev1.Pod](t, create(t, a, pods(""), newPod("p"))).DeepCopy()
		pod.Status.Message, pod.Labels["l"] = "hello", "1"
		it := update(t, a, pods("p"), pod)
		if got := object[*corev1.Pod](t, it); got.Status.Message != "" || got.Labels["l"] != "1" {
			t.Errorf("an update wrote %q, %v", got.Status.Message, got.Labels)
		}
		status := pods("p")
		status.Subresource = resource.Status
		pod = object[*corev1.Pod](t, it).DeepCopy()
		pod.Status.Message, pod.Spec.Containers[0].Image = "hello", "other"
		if got := object[*corev1.Pod](t, update(t, a, status, pod)); got.Status.Message != "hello" || got.Spec.Containers[0].Image != "web:1" {
			t.Errorf("an update of the status wrote %q, %q", got.Status.Message, got.Spec.Containers[0].Image)
		}
	})
	t.Run("a kind without status", func(t *testing.T) {
		create(t, a, configMaps(""), newConfigMap("cm", nil))
		tg := configMaps("cm")
		tg.Subresource = resource.Status
		_, _, err := a.Update(ctx, tg, newConfigMap("cm", nil), metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonMethodNotAllowed)
	})
}

func newReplicaSet(name string, replicas int32) *appsv1.ReplicaSet {
	labels := map[string]string{"app": "web"}
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: newPod("").Spec},
		},
	}
}

func TestScale(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	sets := target(kind.ReplicaSet, "default", "rs")
	create(t, a, sets.Named(""), newReplicaSet("rs", 1))
	tg := sets
	tg.Subresource = resource.Scale
	scale := object[*autoscalingv1.Scale](t, must(a.Get(ctx, tg, metav1.GetOptions{}))(t)).DeepCopy()
	if scale.Kind != "Scale" || scale.Spec.Replicas != 1 || scale.Status.Selector != "app=web" || scale.Name != "rs" {
		t.Fatalf("got %+v", scale)
	}
	scale.Spec.Replicas = 3
	if got := object[*autoscalingv1.Scale](t, update(t, a, tg, scale.DeepCopy())); got.Spec.Replicas != 3 || got.ResourceVersion == scale.ResourceVersion {
		t.Errorf("got %+v", got)
	}
	set := object[*appsv1.ReplicaSet](t, must(a.Get(ctx, sets, metav1.GetOptions{}))(t))
	if *set.Spec.Replicas != 3 || set.Generation != 2 {
		t.Errorf("got %d replicas, generation %d", *set.Spec.Replicas, set.Generation)
	}
	owned := ""
	for _, entry := range set.ManagedFields {
		if entry.Subresource == resource.Scale {
			owned = entry.FieldsV1.String()
		}
	}
	if !strings.Contains(owned, "f:replicas") {
		t.Errorf("the scale's writer does not own the replicas: %v", set.ManagedFields)
	}
	t.Run("an old revision", func(t *testing.T) {
		_, _, err := a.Update(ctx, tg, scale, metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonConflict)
	})
	t.Run("less than nothing", func(t *testing.T) {
		bad := scale.DeepCopy()
		bad.ResourceVersion, bad.Spec.Replicas = "", -1
		_, _, err := a.Update(ctx, tg, bad, metav1.UpdateOptions{})
		reason(t, err, metav1.StatusReasonInvalid)
	})
	t.Run("a kind without scale", func(t *testing.T) {
		create(t, a, configMaps(""), newConfigMap("cm", nil))
		tg := configMaps("cm")
		tg.Subresource = resource.Scale
		_, err := a.Get(ctx, tg, metav1.GetOptions{})
		reason(t, err, metav1.StatusReasonNotFound)
	})
}
