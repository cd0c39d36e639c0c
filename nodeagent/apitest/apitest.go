// Package apitest makes up the API for tests of the agent: client-go's fake, which gives its objects no versions or
// UIDs and drops a pod as soon as it is deleted, with those rules of the real one. Without versions nobody can tell an old
// state from a newer one that came first by another way: an agent would forget what a watch had told it when the answer
// to a request of its own came late.
//
//	client := apitest.New(pod)
//	err := client.CoreV1().Pods("default").Delete(ctx, "web", metav1.DeleteOptions{}) // marks it: the agent does the rest
package apitest

import (
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
)

// API is a client of the made-up API.
type API struct{ *fake.Clientset }

// New makes an API that has the objects. Its requests are carried out one at a time, by the fake's own lock.
func New(objects ...runtime.Object) API {
	t := &tracker{
		ObjectTracker: clienttesting.NewObjectTracker(scheme.Scheme, scheme.Codecs.UniversalDecoder()),
		revisions:     map[schema.GroupVersionResource]int64{},
	}
	for _, o := range objects {
		if err := t.addNew(o); err != nil {
			panic(fmt.Sprintf("apitest: %v", err))
		}
	}
	client := &fake.Clientset{}
	client.AddReactor("delete", "pods", t.markPod)
	client.AddReactor("*", "*", clienttesting.ObjectReaction(t))
	client.AddWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
		options := action.(clienttesting.WatchActionImpl).ListOptions
		w, err := t.Watch(action.GetResource(), action.GetNamespace(), options)
		return true, w, err
	})
	return API{client}
}

// tracker gives each state of an object its version, and refuses what is said of another version or another object.
// A resource's versions are those that its lists and watches count by.
type tracker struct {
	clienttesting.ObjectTracker
	revisions map[schema.GroupVersionResource]int64
}

// addNew adds an object under the resource that its kind is usually of.
func (t *tracker) addNew(o runtime.Object) error {
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return err
	}
	m, err := meta.Accessor(o)
	if err != nil {
		return err
	}
	resource, _ := meta.UnsafeGuessKindToResource(kinds[0])
	return t.Create(resource, o, m.GetNamespace())
}

func (t *tracker) Create(resource schema.GroupVersionResource, o runtime.Object, namespace string, options ...metav1.CreateOptions) error {
	if m, err := meta.Accessor(o); err == nil && m.GetUID() == "" {
		m.SetUID(uuid.NewUUID())
	}
	return t.put(resource, o, func() error { return t.ObjectTracker.Create(resource, o, namespace, options...) })
}

func (t *tracker) Update(resource schema.GroupVersionResource, o runtime.Object, namespace string, options ...metav1.UpdateOptions) error {
	if err := t.check(resource, o, namespace); err != nil {
		return err
	}
	return t.put(resource, o, func() error { return t.ObjectTracker.Update(resource, o, namespace, options...) })
}

func (t *tracker) Patch(resource schema.GroupVersionResource, o runtime.Object, namespace string, options ...metav1.PatchOptions) error {
	if err := t.check(resource, o, namespace); err != nil {
		return err
	}
	return t.put(resource, o, func() error { return t.ObjectTracker.Patch(resource, o, namespace, options...) })
}

// put writes an object as the next version. The tracker below counts a resource's versions from 1 too.
func (t *tracker) put(resource schema.GroupVersionResource, o runtime.Object, write func() error) error {
	m, err := meta.Accessor(o)
	if err != nil {
		return err
	}
	next := max(1, t.revisions[resource]) + 1
	m.SetResourceVersion(strconv.FormatInt(next, 10))
	if err := write(); err != nil {
		return err
	}
	t.revisions[resource] = next
	return nil
}

// check refuses a new state that is of another version, or of another object of that name.
func (t *tracker) check(resource schema.GroupVersionResource, o runtime.Object, namespace string) error {
	m, err := meta.Accessor(o)
	if err != nil {
		return err
	}
	old, err := t.Get(resource, namespace, m.GetName())
	if err != nil {
		return err
	}
	was, err := meta.Accessor(old)
	if err != nil {
		return err
	}
	conflict := func(what, is, want any) error {
		return apierrors.NewConflict(resource.GroupResource(), m.GetName(), fmt.Errorf("%s: it is %v, not %v", what, is, want))
	}
	switch {
	case m.GetUID() != "" && m.GetUID() != was.GetUID():
		return conflict("uid", was.GetUID(), m.GetUID())
	case m.GetResourceVersion() != "" && m.GetResourceVersion() != was.GetResourceVersion():
		return conflict("resourceVersion", was.GetResourceVersion(), m.GetResourceVersion())
	}
	return nil
}
