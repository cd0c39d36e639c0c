package resource

import (
	"context"
	"fmt"
	"slices"

	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/store"
)

// evict deletes a pod with the options of an eviction. The result is the pod.
func (a *API) evict(ctx context.Context, t Target, obj runtime.Object, o metav1.CreateOptions) (*store.Item, error) {
	eviction, ok := obj.(*policyv1.Eviction)
	if !ok || t.resource() != kind.Pod.GroupResource() {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("expected an Eviction of a pod, not a %T", obj))
	}
	if eviction.Name != "" && eviction.Name != t.Name {
		return nil, apierrors.NewBadRequest("name in URL does not match name in Eviction object")
	}
	var options metav1.DeleteOptions
	if eviction.DeleteOptions != nil {
		options = *eviction.DeleteOptions
	}
	switch {
	case len(options.DryRun) == 0:
		options.DryRun = o.DryRun
	case len(o.DryRun) > 0 && !slices.Equal(o.DryRun, options.DryRun):
		return nil, apierrors.NewBadRequest(fmt.Sprintf("Non-matching dry-run options in request and content: %v and %v", o.DryRun, options.DryRun))
	}
	t.Subresource = ""
	it, _, err := a.Delete(ctx, t, options)
	return it, err
}
