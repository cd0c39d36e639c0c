package resource

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/store"
)

// PatchTypes are the content types that Patch knows.
var PatchTypes = []string{
	string(types.JSONPatchType), string(types.MergePatchType), string(types.StrategicMergePatchType), string(types.ApplyYAMLPatchType),
}

// Patch changes an object, its status or its scale: by a JSON patch, a merge patch, a strategic merge patch, or an
// apply configuration (YAML or JSON), which also makes the object when there is none. A patch that names a
// resourceVersion is for that revision only.
func (a *API) Patch(ctx context.Context, t Target, pt types.PatchType, data []byte, o metav1.PatchOptions) (it *store.Item, created bool, err error) {
	if err := invalidOptions("PatchOptions", metav1validation.ValidatePatchOptions(&o, pt)); err != nil {
		return nil, false, err
	}
	if len(data) > MaxBody {
		return nil, false, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", MaxBody))
	}
	p := &patch{target: t, form: formOf(t), validation: o.FieldValidation}
	var warnings []string
	e := edit{Target: t, manager: managerOf(t, o.FieldManager), dryRun: len(o.DryRun) > 0}
	change := func(current *store.Item) (obj runtime.Object, err error) {
		obj, warnings, err = p.over(current)
		return obj, err
	}
	if pt == types.ApplyYAMLPatchType {
		e.manager, e.create = "", t.Subresource == ""
		change, err = a.applying(p, data, o)
	} else {
		p.merge, err = p.mergeBy(pt, data)
	}
	if err != nil {
		return nil, false, asStatus(t, err)
	}
	defer func() {
		if err == nil {
			warn(ctx, append(warnings, p.unknown...)...)
		}
	}()
	if t.Subresource == Scale {
		it, err = a.updateScale(ctx, e, change)
		return it, false, err
	}
	e.change = change
	return a.put(ctx, e)
}

// patch is a change that a client describes.
type patch struct {
	target     Target
	form       form
	validation string
	unknown    []string // warnings about the patch itself
	// merge gives the object that a current one becomes, and what is wrong with its fields.
	merge func(current *store.Item) (runtime.Object, []error, error)
}

// over is the patched form of an item, with warnings.
func (p *patch) over(current *store.Item) (runtime.Object, []string, error) {
	obj, unknown, err := p.merge(current)
	if err != nil {
		return nil, nil, err
	}
	if err := checkType(p.form.gvk, obj); err != nil {
		return nil, nil, err
	}
	obj.GetObjectKind().SetGroupVersionKind(p.form.gvk)
	warnings, err := judge(unknown, p.validation)
	if err != nil {
		return nil, nil, badPatch("", err)
	}
	return obj, warnings, nil
}

// mergeBy returns how a patch of a type is merged.
func (p *patch) mergeBy(pt types.PatchType, data []byte) (func(*store.Item) (runtime.Object, []error, error), error) {
	switch pt {
	case types.JSONPatchType:
		return p.jsonPatch(data)
	case types.MergePatchType:
		return p.mergePatch(data)
	case types.StrategicMergePatchType:
		return p.strategicPatch(data)
	}
	return nil, unsupportedMediaType(PatchTypes...)
}
