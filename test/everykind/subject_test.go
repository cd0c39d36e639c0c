package everykind

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
)

// manager is who writes in these tests.
const manager = "everykind"

// subject is a resource under test, in a namespace of its own.
type subject struct {
	*clients
	resource
	example
	namespace string // empty for what has none
	made      atomic.Int32
}

// objects is the dynamic client for the subject's objects.
func (s *subject) objects() dynamic.ResourceInterface {
	if s.namespace == "" {
		return s.dynamic.Resource(s.gvr)
	}
	return s.dynamic.Resource(s.gvr).Namespace(s.namespace)
}

// next is an object that is not made yet: the example under a name of its own.
func (s *subject) next() *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(s.Object)}
	n := int(s.made.Add(1))
	if len(s.Names) > 0 {
		obj.SetName(s.Names[n%len(s.Names)])
	} else {
		obj.SetName(fmt.Sprintf("%s-%d", obj.GetName(), n))
	}
	if s.namespace != "" {
		obj.SetNamespace(s.namespace)
	}
	return obj
}

// make creates an object, with the labels given as key, value, …, and removes it after the test.
func (s *subject) make(t *testing.T, labels ...string) *unstructured.Unstructured {
	t.Helper()
	obj := s.next()
	label(obj, labels...)
	created, err := s.objects().Create(t.Context(), obj, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		t.Fatalf("creating %s: %v", obj.GetName(), err)
	}
	t.Cleanup(func() { s.remove(t, created.GetName()) })
	return created
}

// label adds labels, given as key, value, ….
func label(obj *unstructured.Unstructured, labels ...string) {
	all := obj.GetLabels()
	if all == nil {
		all = map[string]string{}
	}
	for i := 0; i+1 < len(labels); i += 2 {
		all[labels[i]] = labels[i+1]
	}
	obj.SetLabels(all)
}

// remove deletes an object whether it is there or not. It waits until a name that must serve again is free.
func (s *subject) remove(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	now := int64(0)
	err := s.objects().Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("removing %s: %v", name, err)
	}
	if len(s.Names) > 0 {
		s.awaitGone(t, name)
	}
}

// awaitGone waits until an object is not there any more; controllers may have to see to it first.
func (s *subject) awaitGone(t *testing.T, name string) {
	t.Helper()
	eventually(t, name+" is gone", func(ctx context.Context) error {
		_, err := s.objects().Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			return fmt.Errorf("%s is still there", name)
		}
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

func (s *subject) get(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	obj, err := s.objects().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// patch is a merge patch under the tests' name, which has to succeed.
func (s *subject) patch(t *testing.T, name string, patch any, subresources ...string) *unstructured.Unstructured {
	t.Helper()
	obj, err := s.objects().Patch(t.Context(), name, types.MergePatchType, encode(t, patch), metav1.PatchOptions{FieldManager: manager}, subresources...)
	if err != nil {
		t.Fatalf("patching %s %v: %v", name, subresources, err)
	}
	return obj
}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// labelled is a merge patch that sets labels.
func labelled(labels ...any) map[string]any {
	set := map[string]any{}
	for i := 0; i+1 < len(labels); i += 2 {
		set[labels[i].(string)] = labels[i+1]
	}
	return map[string]any{"metadata": map[string]any{"labels": set}}
}

// eventually tries until there is no error: controllers write to the same objects, so one try may meet their write.
func eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	var last error
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		last = try(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

// newNamespace is one in which pods may be made.
func (c *clients) newNamespace(t *testing.T, name string) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.typed.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the default service account", func(ctx context.Context) error {
		_, err := c.typed.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// lacks tells where got has not what want has; what got has beside it does not matter.
func lacks(got, want any, path string) []string {
	switch want := want.(type) {
	case map[string]any:
		gotMap, _ := got.(map[string]any)
		var all []string
		for key := range maps.Keys(want) {
			all = append(all, lacks(gotMap[key], want[key], path+"."+key)...)
		}
		return all
	case []any:
		gotList, _ := got.([]any)
		if len(gotList) != len(want) {
			return []string{fmt.Sprintf("%s has %d items, not %d", path, len(gotList), len(want))}
		}
		var all []string
		for i := range want {
			all = append(all, lacks(gotList[i], want[i], fmt.Sprintf("%s[%d]", path, i))...)
		}
		return all
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return []string{fmt.Sprintf("%s is %v, not %v", path, got, want)}
	}
	return nil
}

// expectHas fails when an object has not what is wanted of it.
func expectHas(t *testing.T, got *unstructured.Unstructured, want map[string]any) {
	t.Helper()
	if missing := lacks(got.Object, want, ""); len(missing) > 0 {
		t.Errorf("%s:\n%s", got.GetName(), strings.Join(missing, "\n"))
	}
}
