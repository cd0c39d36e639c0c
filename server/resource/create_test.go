package resource_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

func TestCreate(t *testing.T) {
	a, ctx := newAPI(t), context.Background()

	t.Run("the server gives what is its own", func(t *testing.T) {
		cm := newConfigMap("system", map[string]string{"a": "1"})
		cm.UID, cm.CreationTimestamp = "mine", metav1.NewTime(time.Unix(1, 0))
		cm.DeletionTimestamp = &cm.CreationTimestamp
		cm.SetSelfLink("/here")
		got := object[*corev1.ConfigMap](t, create(t, a, configMaps(""), cm))
		if got.UID == "mine" || time.Since(got.CreationTimestamp.Time) > time.Minute || got.DeletionTimestamp != nil || got.GetSelfLink() != "" {
			t.Errorf("got %+v", got.ObjectMeta)
		}
		if got.Namespace != "default" || got.ResourceVersion == "" {
			t.Errorf("got namespace %q, resourceVersion %q", got.Namespace, got.ResourceVersion)
		}
	})
	t.Run("the stored form starts with kind and apiVersion", func(t *testing.T) {
		it := create(t, a, configMaps(""), newConfigMap("form", nil))
		if !strings.HasPrefix(string(it.JSON), `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"`) {
			t.Errorf("got %s", it.JSON)
		}
	})
	t.Run("a name is generated", func(t *testing.T) {
		cm := newConfigMap("", nil)
		cm.GenerateName = strings.Repeat("x", 70)
		got := object[*corev1.ConfigMap](t, create(t, a, configMaps(""), cm))
		if len(got.Name) != 63 || got.Name[:58] != cm.GenerateName[:58] {
			t.Errorf("got %q", got.Name)
		}
	})
	t.Run("a taken name", func(t *testing.T) {
		create(t, a, configMaps(""), newConfigMap("taken", nil))
		_, err := a.Create(ctx, configMaps(""), newConfigMap("taken", nil), metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonAlreadyExists)
		_, err = a.Create(ctx, configMaps(""), newConfigMap("taken", nil), metav1.CreateOptions{DryRun: []string{"All"}})
		reason(t, err, metav1.StatusReasonAlreadyExists)
		if want := `configmaps "taken" already exists`; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
	t.Run("dry run", func(t *testing.T) {
		it := must(a.Create(ctx, configMaps(""), newConfigMap("dry", nil), metav1.CreateOptions{DryRun: []string{"All"}}))(t)
		if object[*corev1.ConfigMap](t, it).UID == "" {
			t.Error("no UID")
		}
		_, err := a.Get(ctx, configMaps("dry"), metav1.GetOptions{})
		reason(t, err, metav1.StatusReasonNotFound)
	})
	t.Run("the status is not the client's", func(t *testing.T) {
		pod := newPod("status")
		pod.Status.Phase, pod.Status.Message = corev1.PodRunning, "I run"
		got := object[*corev1.Pod](t, create(t, a, pods(""), pod))
		if got.Status.Phase != corev1.PodPending || got.Status.Message != "" || got.Generation != 1 {
			t.Errorf("got %+v, generation %d", got.Status, got.Generation)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	for _, test := range []struct {
		name   string
		mutate func(*corev1.ConfigMap)
		o      metav1.CreateOptions
		reason metav1.StatusReason
		says   string
	}{
		{"a resourceVersion", func(cm *corev1.ConfigMap) { cm.ResourceVersion = "1" }, metav1.CreateOptions{}, metav1.StatusReasonBadRequest, "resourceVersion should not be set on objects to be created"},
		{"another namespace", func(cm *corev1.ConfigMap) { cm.Namespace = "other" }, metav1.CreateOptions{}, metav1.StatusReasonBadRequest, "the namespace of the provided object does not match the namespace sent on the request"},
		{"no name", func(cm *corev1.ConfigMap) { cm.Name = "" }, metav1.CreateOptions{}, metav1.StatusReasonInvalid, "metadata.name: Required value: name or generateName is required"},
		{"a bad name", func(cm *corev1.ConfigMap) { cm.Name = "No_Name" }, metav1.CreateOptions{}, metav1.StatusReasonInvalid, `metadata.name: Invalid value: "No_Name"`},
		{"a bad label", func(cm *corev1.ConfigMap) { cm.Labels = map[string]string{"a": "-"} }, metav1.CreateOptions{}, metav1.StatusReasonInvalid, "metadata.labels: Invalid value"},
		{"a bad annotation", func(cm *corev1.ConfigMap) { cm.Annotations = map[string]string{"a b": "-"} }, metav1.CreateOptions{}, metav1.StatusReasonInvalid, "metadata.annotations: Invalid value"},
		{"an incomplete owner", func(cm *corev1.ConfigMap) { cm.OwnerReferences = []metav1.OwnerReference{{Kind: "Pod"}} }, metav1.CreateOptions{}, metav1.StatusReasonInvalid, "metadata.ownerReferences[0].uid: Required value"},
		{"a bad dryRun", func(*corev1.ConfigMap) {}, metav1.CreateOptions{DryRun: []string{"Some"}}, metav1.StatusReasonInvalid, "dryRun"},
		{"what is too large", func(cm *corev1.ConfigMap) { cm.Data = map[string]string{"a": strings.Repeat("x", 1600*1024)} }, metav1.CreateOptions{}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			cm := newConfigMap("fine", nil)
			test.mutate(cm)
			_, err := a.Create(ctx, configMaps(""), cm, test.o)
			if err == nil {
				t.Fatal("it is created")
			}
			if test.reason == "" {
				return // by the kind's validation or by its size: either will do
			}
			reason(t, err, test.reason)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, want %q in it", err, test.says)
			}
		})
	}
	t.Run("a verb that a subresource lacks", func(t *testing.T) {
		tg := pods("p")
		tg.Subresource = resource.Status
		_, err := a.Create(ctx, tg, newPod("p"), metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonMethodNotAllowed)
	})
}

func TestAdmission(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	seconds := int64(5)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "puller"}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "key"}}}
	create(t, a, target(kind.ServiceAccount, "default", ""), account)
	for _, class := range kind.SystemPriorityClasses() {
		create(t, a, priorityClasses(""), class)
	}

	t.Run("defaults of a pod", func(t *testing.T) {
		pod := object[*corev1.Pod](t, create(t, a, pods(""), newPod("plain")))
		if pod.Spec.ServiceAccountName != "default" || pod.Spec.DeprecatedServiceAccount != "default" {
			t.Errorf("got service account %q", pod.Spec.ServiceAccountName)
		}
		if *pod.Spec.Priority != 0 || *pod.Spec.PreemptionPolicy != corev1.PreemptLowerPriority {
			t.Errorf("got priority %d, %s", *pod.Spec.Priority, *pod.Spec.PreemptionPolicy)
		}
		if n := len(pod.Spec.Tolerations); n != 2 || *pod.Spec.Tolerations[0].TolerationSeconds != 300 {
			t.Errorf("got tolerations %+v", pod.Spec.Tolerations)
		}
	})
	t.Run("a pod's own values stay", func(t *testing.T) {
		pod := newPod("own")
		pod.Spec.ServiceAccountName, pod.Spec.PriorityClassName = "puller", "system-node-critical"
		pod.Spec.Tolerations = []corev1.Toleration{{
			Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
		}}
		pod = object[*corev1.Pod](t, create(t, a, pods(""), pod))
		if *pod.Spec.Priority != 2_000_001_000 || len(pod.Spec.ImagePullSecrets) != 1 {
			t.Errorf("got priority %d, pull secrets %v", *pod.Spec.Priority, pod.Spec.ImagePullSecrets)
		}
		if n := len(pod.Spec.Tolerations); n != 2 || *pod.Spec.Tolerations[0].TolerationSeconds != 5 {
			t.Errorf("got tolerations %+v", pod.Spec.Tolerations)
		}
	})
	t.Run("a priority that no class gives", func(t *testing.T) {
		pod := newPod("boaster")
		pod.Spec.Priority = new(int32(7))
		_, err := a.Create(ctx, pods(""), pod, metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonForbidden)
		pod.Spec.Priority, pod.Spec.PriorityClassName = nil, "gold"
		_, err = a.Create(ctx, pods(""), pod, metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonForbidden)
	})
	t.Run("no such namespace", func(t *testing.T) {
		_, err := a.Create(ctx, target(kind.ConfigMap, "nowhere", ""), newConfigMap("a", nil), metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonNotFound)
		if want := `namespaces "nowhere" not found`; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
	t.Run("a namespace that is being deleted", func(t *testing.T) {
		namespaces := target(kind.Namespace, "", "")
		create(t, a, namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ending"}})
		if _, gone, err := a.Delete(ctx, target(kind.Namespace, "", "ending"), metav1.DeleteOptions{}); gone || err != nil {
			t.Fatal(gone, err)
		}
		_, err := a.Create(ctx, target(kind.ConfigMap, "ending", ""), newConfigMap("a", nil), metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonForbidden)
		if !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			t.Errorf("got %v without its cause", err)
		}
	})
	t.Run("owners are named once", func(t *testing.T) {
		var warnings []string
		ctx := resource.WithWarnings(ctx, func(w string) { warnings = append(warnings, w) })
		owner := metav1.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: "p", UID: "u"}
		cm := newConfigMap("owned", nil)
		cm.OwnerReferences = []metav1.OwnerReference{owner, owner}
		it := must(a.Create(ctx, configMaps(""), cm, metav1.CreateOptions{}))(t)
		if got := object[*corev1.ConfigMap](t, it).OwnerReferences; len(got) != 1 || len(warnings) != 1 {
			t.Errorf("got %v, warnings %q", got, warnings)
		}
	})
}

// TestSharedObjectsStay checks that no write modifies an object that readers share.
func TestSharedObjectsStay(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	old := create(t, a, pods(""), newPod("p"))
	before := object[*corev1.Pod](t, old).DeepCopy()
	change := object[*corev1.Pod](t, old).DeepCopy()
	change.Labels["new"] = "1"
	if _, _, err := a.Update(ctx, pods("p"), change, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	applied := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","annotations":{"a":"b"}}}`
	applyTo(t, a, pods("p"), applied, "m")
	if after := object[*corev1.Pod](t, old); !equal(before, after) {
		t.Errorf("the old object was modified:\n%+v\n%+v", before, after)
	}
}
