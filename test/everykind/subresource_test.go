package everykind

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

// statusIsolation: the status is written beside the object and by nothing else.
func statusIsolation(t *testing.T, s *subject) {
	if !s.has("status") {
		return
	}
	if s.Status == nil {
		t.Fatal("a kind with a status needs one in its example")
	}
	obj := s.next()
	obj.Object["status"] = runtime.DeepCopyJSONValue(s.Status["status"])
	created, err := s.objects().Create(t.Context(), obj, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		t.Fatal(err)
	}
	name := created.GetName()
	t.Cleanup(func() { s.remove(t, name) })
	if set := len(lacks(created.Object, s.Status, "")) == 0; set != s.StatusOnCreate {
		t.Errorf("the creation set the status: %t", set)
	}
	if s.StatusOnCreate {
		name = s.make(t).GetName()
	} else if len(lacks(s.patch(t, name, s.Status).Object, s.Status, "")) == 0 {
		t.Error("a patch of the object set the status")
	}
	before, got := s.patchAlone(t, name, merged(s.Status, s.Change), "status")
	expectHas(t, got, s.Status)
	if s.Change != nil && len(lacks(got.Object, s.Change, "")) == 0 {
		t.Error("a patch of the status changed the object")
	}
	if got.GetGeneration() != before.GetGeneration() || got.GetResourceVersion() == before.GetResourceVersion() {
		t.Errorf("the status's patch made %v of %v", got.Object["metadata"], before.Object["metadata"])
	}
	owns(t, got, manager, metav1.ManagedFieldsOperationUpdate, "status")
	eventually(t, "an update of the status", func(ctx context.Context) error {
		now, err := s.objects().Get(ctx, name, metav1.GetOptions{}, "status")
		if err == nil {
			_, err = s.objects().UpdateStatus(ctx, now, asManager)
		}
		return err
	})
}

// merged is two merge patches of different fields as one.
func merged(one, other map[string]any) map[string]any {
	all := map[string]any{}
	for _, m := range []map[string]any{other, one} {
		for key, value := range m {
			all[key] = value
		}
	}
	return all
}

func scaleReplicas(t *testing.T, s *subject) {
	if !s.has("scale") {
		return
	}
	name := s.make(t).GetName()
	before := s.get(t, name)
	got := decodeAny(t, read(t, s.ask(t, "GET", s.path(name, "scale"), "", "", asProtobuf, nil)))
	scale, ok := got.(*autoscalingv1.Scale)
	if !ok || scale.Name != name || scale.UID != before.GetUID() {
		t.Fatalf("the scale is %T %v", got, got)
	}
	eventually(t, "an update of the scale", func(ctx context.Context) error {
		now, err := s.objects().Get(ctx, name, metav1.GetOptions{}, "scale")
		if err != nil {
			return err
		}
		if err := unstructured.SetNestedField(now.Object, int64(2), "spec", "replicas"); err != nil {
			t.Fatal(err)
		}
		_, err = s.objects().Update(ctx, now, asManager, "scale")
		return err
	})
	after := s.get(t, name)
	if n, _, _ := unstructured.NestedInt64(after.Object, "spec", "replicas"); n != 2 || after.GetGeneration() <= before.GetGeneration() {
		t.Errorf("%d replicas, generation %d after %d", n, after.GetGeneration(), before.GetGeneration())
	}
	owns(t, after, manager, metav1.ManagedFieldsOperationUpdate, "scale")
	patched := s.patch(t, name, map[string]any{"spec": map[string]any{"replicas": 0}}, "scale")
	if patched.GetKind() != "Scale" || patched.GetAPIVersion() != "autoscaling/v1" {
		t.Errorf("the patch gave %v", patched)
	}
	_, err := s.objects().Patch(t.Context(), name, "application/merge-patch+json", []byte(`{"spec":{"replicas":-1}}`), metav1.PatchOptions{}, "scale")
	refused(t, err, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "spec.replicas: Invalid value: -1")
}

// subresourcesAnswer asks those that only this kind has, each for all its verbs, as the example says.
func subresourcesAnswer(t *testing.T, s *subject) {
	for _, sub := range s.subresources {
		if sub.Name == "status" || sub.Name == "scale" {
			continue
		}
		var asked []string
		for _, r := range s.Subresources[sub.Name] {
			for _, verb := range r.Verbs {
				asked = append(asked, verb)
				t.Run(sub.Name+" "+verb, func(t *testing.T) { s.askSubresource(t, sub.Name, verb, r) })
			}
		}
		for _, verb := range sub.Verbs {
			if !slices.Contains(asked, verb) {
				t.Errorf("the example asks not for %s %s", verb, sub.Name)
			}
		}
	}
	for name := range s.Subresources {
		if !s.has(name) {
			t.Errorf("the example has %s, which is not served", name)
		}
	}
}

var methods = map[string]string{"get": "GET", "create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}

func (s *subject) askSubresource(t *testing.T, sub, verb string, r request) {
	name := s.make(t).GetName()
	contentType := asJSON
	if verb == "patch" {
		contentType = "application/strategic-merge-patch+json"
	}
	eventually(t, "an answer that is no conflict with a controller", func(context.Context) error {
		var code int
		result := s.ask(t, methods[verb], s.path(name, sub), r.Query, contentType, asJSON, s.body(t, name, verb, r)).StatusCode(&code)
		raw, err := result.Raw()
		if apierrors.IsConflict(err) && r.Code != http.StatusConflict {
			return err
		}
		if code != r.Code || !strings.Contains(string(raw), r.Says) {
			t.Errorf("it answers %d, %v\n%s\nnot %d, %q", code, err, raw, r.Code, r.Says)
		}
		return nil
	})
}

// body is what a request carries: of an update, the whole object with the change.
func (s *subject) body(t *testing.T, name, verb string, r request) []byte {
	t.Helper()
	switch {
	case r.Body == nil:
		return nil
	case verb == "update":
		return s.changed(t, name, r.Body)
	}
	return []byte(strings.ReplaceAll(string(encode(t, r.Body)), "$name", name))
}

// changed is the object with a strategic merge patch.
func (s *subject) changed(t *testing.T, name string, patch map[string]any) []byte {
	t.Helper()
	typed, err := scheme.Scheme.New(s.gvk())
	if err != nil {
		t.Fatal(err)
	}
	body, err := strategicpatch.StrategicMergePatch(encode(t, s.get(t, name)), encode(t, patch), typed)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
