package resource_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

func applyTo(t testing.TB, a *resource.API, tg resource.Target, config, manager string) *store.Item {
	t.Helper()
	it, _, err := a.Patch(context.Background(), tg, types.ApplyYAMLPatchType, []byte(config), metav1.PatchOptions{FieldManager: manager})
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func TestPatch(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, pods(""), newPod("p"))
	for _, test := range []struct {
		name string
		pt   types.PatchType
		data string
		want func(*corev1.Pod) bool
	}{
		{"JSON adds", types.JSONPatchType, `[{"op":"add","path":"/metadata/labels/json","value":"1"}]`,
			func(p *corev1.Pod) bool { return p.Labels["json"] == "1" && p.Labels["app"] == "web" }},
		{"JSON tests and replaces", types.JSONPatchType, `[{"op":"test","path":"/spec/containers/0/image","value":"web:1"},{"op":"replace","path":"/spec/containers/0/image","value":"web:2"}]`,
			func(p *corev1.Pod) bool { return p.Spec.Containers[0].Image == "web:2" }},
		{"merge sets and removes", types.MergePatchType, `{"metadata":{"labels":{"json":null,"merge":"1"}}}`,
			func(p *corev1.Pod) bool { _, has := p.Labels["json"]; return !has && p.Labels["merge"] == "1" }},
		{"strategic merges lists by key", types.StrategicMergePatchType, `{"spec":{"containers":[{"name":"main","image":"web:3"}]}}`,
			func(p *corev1.Pod) bool {
				return len(p.Spec.Containers) == 1 && p.Spec.Containers[0].Image == "web:3" && p.Spec.Containers[0].ImagePullPolicy != ""
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			it, created, err := a.Patch(ctx, pods("p"), test.pt, []byte(test.data), metav1.PatchOptions{})
			if err != nil || created || !test.want(object[*corev1.Pod](t, it)) {
				t.Fatalf("got %v, %t, %v", it, created, err)
			}
			again, _, err := a.Patch(ctx, pods("p"), types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
			if err != nil || again.Revision != it.Revision {
				t.Errorf("an empty patch: revision %d became %d, %v", it.Revision, again.Revision, err)
			}
		})
	}
}

func TestPatchRefuses(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, pods(""), newPod("p"))
	operation := `{"op":"add","path":"/metadata/labels/x","value":"1"}`
	big := strings.Repeat("x", 512*1024)
	var bomb strings.Builder
	fmt.Fprintf(&bomb, `[{"op":"add","path":"/metadata/annotations","value":{"a":%q}}`, big)
	for i := range 20 {
		fmt.Fprintf(&bomb, `,{"op":"copy","from":"/metadata/annotations/a","path":"/metadata/annotations/b%d"}`, i)
	}
	bomb.WriteString("]")
	for _, test := range []struct {
		name       string
		pt         types.PatchType
		data       string
		validation string
		code       int32
		says       string
	}{
		{"a test that fails", types.JSONPatchType, `[{"op":"test","path":"/spec/containers/0/image","value":"x"}]`, "", 422, "testing value"},
		{"a path that is not there", types.JSONPatchType, `[{"op":"remove","path":"/metadata/none"}]`, "", 422, "remove"},
		{"no JSON", types.JSONPatchType, `[`, "", 400, "error decoding patch"},
		{"no list", types.JSONPatchType, `{"a":1}`, "", 400, "error decoding patch"},
		{"too many operations", types.JSONPatchType, "[" + strings.Repeat(operation+",", 10_000) + operation + "]", "", 413, "maximum operations in a JSON patch is 10000, got 10001"},
		{"a copy bomb", types.JSONPatchType, bomb.String(), "", 422, "copy"},
		{"another type of value", types.MergePatchType, `{"metadata":{"labels":7}}`, "", 422, "labels"},
		{"no object", types.MergePatchType, `[]`, "", 400, "error decoding patch"},
		{"an unknown field", types.MergePatchType, `{"spec":{"nothing":1}}`, "Strict", 422, `unknown field "spec.nothing"`},
		{"a field twice", types.MergePatchType, `{"spec":{"nodeName":"a","nodeName":"b"}}`, "Strict", 422, `duplicate field "spec.nodeName"`},
		{"an unknown field, strategic", types.StrategicMergePatchType, `{"spec":{"nothing":1}}`, "Strict", 422, `unknown field "spec.nothing"`},
		{"no directive", types.StrategicMergePatchType, `{"metadata":{"$patch":"explode"}}`, "", 400, "explode"},
		{"an unknown type", "application/x", `{}`, "", 415, "accepted media types include"},
		{"another kind", types.MergePatchType, `{"kind":"Node"}`, "", 400, "Node"},
		{"another name", types.MergePatchType, `{"metadata":{"name":"q"}}`, "", 400, "does not match the name on the URL"},
		{"an old revision", types.MergePatchType, `{"metadata":{"resourceVersion":"1","labels":{"a":"b"}}}`, "", 409, "the object has been modified"},
		{"apply without manager", types.ApplyYAMLPatchType, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}`, "", 422, "fieldManager: Required value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := a.Patch(ctx, pods("p"), test.pt, []byte(test.data), metav1.PatchOptions{FieldValidation: test.validation})
			status, ok := err.(apierrors.APIStatus)
			if !ok || status.Status().Code != test.code || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want a %d with %q", err, test.code, test.says)
			}
		})
	}
	t.Run("what is not there", func(t *testing.T) {
		_, _, err := a.Patch(ctx, pods("none"), types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
		reason(t, err, metav1.StatusReasonNotFound)
	})
}

func TestPatchWarns(t *testing.T) {
	a := newAPI(t)
	create(t, a, pods(""), newPod("p"))
	for _, pt := range []types.PatchType{types.MergePatchType, types.StrategicMergePatchType} {
		var warnings []string
		ctx := resource.WithWarnings(context.Background(), func(w string) { warnings = append(warnings, w) })
		if _, _, err := a.Patch(ctx, pods("p"), pt, []byte(`{"spec":{"nothing":1}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		if len(warnings) != 1 || warnings[0] != `unknown field "spec.nothing"` {
			t.Errorf("%s: got %q", pt, warnings)
		}
	}
}

// TestPatchTogether has many patch the same object: none is lost.
func TestPatchTogether(t *testing.T) {
	a := newAPI(t)
	create(t, a, configMaps(""), newConfigMap("cm", nil))
	const writers = 8
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			body := fmt.Appendf(nil, `{"data":{"k%d":"1"}}`, i)
			if _, _, err := a.Patch(context.Background(), configMaps("cm"), types.MergePatchType, body, metav1.PatchOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	it := must(a.Get(context.Background(), configMaps("cm"), metav1.GetOptions{}))(t)
	if got := object[*corev1.ConfigMap](t, it).Data; len(got) != writers {
		t.Errorf("got %v", got)
	}
}

func TestPatchScale(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	tg := target(kind.ReplicaSet, "default", "rs")
	create(t, a, tg.Named(""), newReplicaSet("rs", 1))
	tg.Subresource = resource.Scale
	for i, patch := range []struct {
		pt   types.PatchType
		data string
	}{
		{types.MergePatchType, `{"spec":{"replicas":2}}`},
		{types.JSONPatchType, `[{"op":"replace","path":"/spec/replicas","value":3}]`},
		{types.StrategicMergePatchType, `{"spec":{"replicas":4}}`},
		{types.ApplyYAMLPatchType, "apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: rs}\nspec: {replicas: 5}"},
	} {
		it, _, err := a.Patch(ctx, tg, patch.pt, []byte(patch.data), metav1.PatchOptions{FieldManager: "m", Force: forced(patch.pt)})
		if err != nil {
			t.Fatalf("%s: %v", patch.pt, err)
		}
		if got := object[*autoscalingv1.Scale](t, it).Spec.Replicas; int(got) != i+2 {
			t.Errorf("%s: got %d replicas", patch.pt, got)
		}
	}
	tg.Subresource = ""
	if set := object[*appsv1.ReplicaSet](t, must(a.Get(ctx, tg, metav1.GetOptions{}))(t)); *set.Spec.Replicas != 5 {
		t.Errorf("got %d replicas", *set.Spec.Replicas)
	}
}

func forced(pt types.PatchType) *bool {
	if pt == types.ApplyYAMLPatchType {
		return new(true)
	}
	return nil
}
