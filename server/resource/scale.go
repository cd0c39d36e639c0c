package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"leme/server/store"
)

// scaleItem is an object's scale as an item that is not stored.
func scaleItem(t Target, it *store.Item) (*store.Item, error) {
	if t.Kind.Scale == nil {
		return nil, apierrors.NewNotFound(t.resource(), t.Name)
	}
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	scale, err := scaleOf(t, obj)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(scale)
	if err != nil {
		return nil, err
	}
	return store.NewItem(it.Key, it.Revision, raw, scale), nil
}

// scaleOf is an object's scale, with the owners of its replicas.
func scaleOf(t Target, obj runtime.Object) (*autoscalingv1.Scale, error) {
	m := metaOf(obj)
	wanted, observed, selector := t.Kind.Scale.Replicas(obj)
	claims, err := scaleClaims(t, obj).ToSubresource()
	if err != nil {
		return nil, err
	}
	scale := formOf(Target{Kind: t.Kind, Subresource: Scale}).empty().(*autoscalingv1.Scale)
	scale.ObjectMeta = metav1.ObjectMeta{
		Name:              m.GetName(),
		Namespace:         m.GetNamespace(),
		UID:               m.GetUID(),
		ResourceVersion:   m.GetResourceVersion(),
		CreationTimestamp: m.GetCreationTimestamp(),
		ManagedFields:     claims,
	}
	scale.Spec.Replicas = wanted
	scale.Status = autoscalingv1.ScaleStatus{Replicas: observed, Selector: selector}
	return scale, nil
}

// scaleClaims translates who owns the replicas between an object and its scale.
func scaleClaims(t Target, obj runtime.Object) *managedfields.ScaleHandler {
	version := t.Kind.GroupVersion()
	parts := strings.Split(strings.TrimPrefix(t.Kind.Scale.SpecPath, "."), ".")
	names := make([]any, len(parts))
	for i, part := range parts {
		names[i] = part
	}
	return managedfields.NewScaleHandler(metaOf(obj).GetManagedFields(), version,
		managedfields.ResourcePathMappings{version.String(): fieldpath.MakePathOrDie(names...)})
}

// updateScale writes the replicas of the scale that an edit computes from the current one.
func (a *API) updateScale(ctx context.Context, e edit) (*store.Item, error) {
	t, manager, change := e.Target, e.manager, e.change
	e.manager = "" // tracked here, by way of the scale
	e.change = func(current *store.Item) (runtime.Object, error) {
		old, err := scaleItem(t, current)
		if err != nil {
			return nil, err
		}
		wanted, err := change(old)
		if err != nil {
			return nil, err
		}
		scale, ok := wanted.(*autoscalingv1.Scale)
		if !ok {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("expected a Scale, not a %T", wanted))
		}
		before, err := old.Object()
		if err != nil {
			return nil, err
		}
		a.owner.track(t, before, scale, manager)
		return scaled(t, current, scale)
	}
	it, _, err := a.put(ctx, e)
	if err != nil {
		return nil, err
	}
	it, err = scaleItem(t, it)
	return it, asStatus(t, err)
}

// scaled is an item's object with the replicas, the owners and the revision of a scale.
func scaled(t Target, current *store.Item, scale *autoscalingv1.Scale) (runtime.Object, error) {
	if scale.Spec.Replicas < 0 {
		return nil, apierrors.NewInvalid(autoscalingv1.SchemeGroupVersion.WithKind("Scale").GroupKind(), t.Name, field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0")})
	}
	old, err := current.Object()
	if err != nil {
		return nil, err
	}
	claims, err := scaleClaims(t, old).ToParent(scale.ManagedFields)
	if err != nil {
		return nil, err
	}
	obj := old.DeepCopyObject()
	t.Kind.Scale.Set(obj, scale.Spec.Replicas)
	m := metaOf(obj)
	m.SetManagedFields(claims)
	m.SetResourceVersion(scale.ResourceVersion)
	m.SetName(scale.Name)
	if scale.UID != "" {
		m.SetUID(scale.UID)
	}
	return obj, nil
}
