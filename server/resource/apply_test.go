package resource_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/kind"
	"leme/server/resource"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: web:1
        ports: [{containerPort: 80}]
`

func TestApply(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	tg := target(kind.Deployment, "default", "d")
	apply := func(config, manager string, force bool) (*appsv1.Deployment, bool, error) {
		it, created, err := a.Patch(ctx, tg, types.ApplyYAMLPatchType, []byte(config), metav1.PatchOptions{FieldManager: manager, Force: &force})
		if err != nil {
			return nil, false, err
		}
		return object[*appsv1.Deployment](t, it), created, nil
	}
	first, created, err := apply(deployment, "alice", false)
	if err != nil || !created || *first.Spec.Replicas != 2 || first.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		t.Fatalf("got %+v, %t, %v", first, created, err)
	}
	if entry := first.ManagedFields[0]; entry.Manager != "alice" || entry.Operation != metav1.ManagedFieldsOperationApply {
		t.Errorf("got %+v", first.ManagedFields)
	}
	t.Run("again", func(t *testing.T) {
		same, created, err := apply(deployment, "alice", false)
		if err != nil || created || same.ResourceVersion != first.ResourceVersion {
			t.Errorf("got %s after %s, %t, %v", same.ResourceVersion, first.ResourceVersion, created, err)
		}
	})
	const two = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":5}}`
	t.Run("a conflict", func(t *testing.T) {
		_, _, err := apply(two, "bob", false)
		reason(t, err, metav1.StatusReasonConflict)
		causes := err.(apierrors.APIStatus).Status().Details.Causes
		if len(causes) != 1 || causes[0].Type != metav1.CauseTypeFieldManagerConflict || causes[0].Field != ".spec.replicas" {
			t.Errorf("got %+v", causes)
		}
	})
	t.Run("by force", func(t *testing.T) {
		if got, _, err := apply(two, "bob", true); err != nil || *got.Spec.Replicas != 5 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("what a manager gives up goes", func(t *testing.T) {
		got, _, err := apply(strings.Replace(strings.Replace(deployment, "labels: {app: web}}\nspec", "annotations: {a: b}}\nspec", 1), "replicas: 2", "", 1), "alice", false)
		if err != nil || len(got.Labels) != 0 || got.Annotations["a"] != "b" || *got.Spec.Replicas != 5 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("lists merge by key", func(t *testing.T) {
		const sidecar = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[{"name":"side","image":"log:1"}]}}}}`
		got, _, err := apply(sidecar, "carol", false)
		if err != nil || len(got.Spec.Template.Spec.Containers) != 2 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestApplyRefuses(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	tg := target(kind.Deployment, "default", "d")
	for _, test := range []struct {
		name, config, validation string
		code                     int32
		says                     string
	}{
		{"an unknown field", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"nothing":1}}`, "", 400, ".spec.nothing: field not declared in schema"},
		{"another version", `{"apiVersion":"v1","kind":"Deployment","metadata":{"name":"d"}}`, "", 400, "apps/v1"},
		{"no type", `{"metadata":{"name":"d"}}`, "", 400, "must name its apiVersion and kind"},
		{"no YAML", "a: [", "", 400, "error decoding YAML"},
		{"managed fields", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","managedFields":[{}]}}`, "", 400, "metadata.managedFields must be nil"},
		{"a field twice", deployment + "kind: Deployment\n", "Strict", 400, "already set"},
		{"another name", strings.Replace(deployment, "name: d", "name: e", 1), "", 400, "does not match the name on the URL"},
		{"a UID of nothing", strings.Replace(deployment, "name: d", "name: d, uid: u", 1), "", 409, "uid mismatch"},
		{"an invalid object", strings.Replace(deployment, "replicas: 2", "replicas: -2", 1), "", 422, "spec.replicas"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := a.Patch(ctx, tg, types.ApplyYAMLPatchType, []byte(test.config), metav1.PatchOptions{FieldManager: "m", FieldValidation: test.validation})
			status, ok := err.(apierrors.APIStatus)
			if !ok || status.Status().Code != test.code || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want a %d with %q", err, test.code, test.says)
			}
		})
	}
}

// TestOwnership checks who owns what after writes of each sort.
func TestOwnership(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	owners := func() string {
		var all []string
		for _, e := range object[*corev1.Pod](t, must(a.Get(ctx, pods("p"), metav1.GetOptions{}))(t)).ManagedFields {
			all = append(all, strings.TrimSuffix(e.Manager+"/"+e.Subresource, "/"))
			if own := e.FieldsV1.String(); e.Subresource == resource.Status && strings.Contains(own, `"f:spec"`) || e.Subresource == "" && strings.Contains(own, `"f:status"`) {
				t.Errorf("%s owns %s", e.Manager, own)
			}
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	pod := newPod("p")
	pod.Status.Message = "no"
	must(a.Create(ctx, pods(""), pod, metav1.CreateOptions{FieldManager: "creator"}))(t)
	status := pods("p")
	status.Subresource = resource.Status
	for _, write := range []struct {
		tg   resource.Target
		data string
		want string
	}{
		{status, `{"status":{"message":"m"},"spec":{"nodeName":"n"}}`, "agent/status creator"},
		{pods("p"), `{"metadata":{"labels":{"l":"1"}},"status":{"message":"x"}}`, "agent agent/status creator"},
		{pods("p"), `{"metadata":{"labels":{"l":"1"}}}`, "agent agent/status creator"},
	} {
		if _, _, err := a.Patch(ctx, write.tg, types.MergePatchType, []byte(write.data), metav1.PatchOptions{FieldManager: "agent"}); err != nil {
			t.Fatal(err)
		}
		if got := owners(); got != write.want {
			t.Errorf("after %s: %q, want %q", write.data, got, write.want)
		}
	}
}
