package resource

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

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
	p, err := a.newPatch(t, pt, data, o)
	if err != nil {
		return nil, false, asStatus(t, err)
	}
	e := edit{Target: t, manager: managerOf(t, o.FieldManager), dryRun: len(o.DryRun) > 0, change: p.change}
	if pt == types.ApplyYAMLPatchType {
		e.manager, e.create = "", t.Subresource == "" // merging tells who owns what
	}
	if t.Subresource == Scale {
		it, err = a.updateScale(ctx, e)
	} else {
		e.change = t.inVersion(e.change)
		it, created, err = a.put(ctx, e)
		it, err = t.shown(it, err)
	}
	if err == nil {
		warn(ctx, p.warnings...)
		warn(ctx, p.found...)
	}
	return it, created, err
}

// patch is a change that a client describes.
type patch struct {
	target     Target
	form       form
	validation string
	// change gives what the patch makes of an item; see edit.
	change   func(current *store.Item) (runtime.Object, error)
	warnings []string // about the patch
	found    []string // about what the last change gave
}

// newPatch reads a patch.
func (a *API) newPatch(t Target, pt types.PatchType, data []byte, o metav1.PatchOptions) (*patch, error) {
	if len(data) > MaxBody {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", MaxBody))
	}
	p := &patch{target: t, form: formOf(t), validation: o.FieldValidation}
	var merge merge
	var err error
	switch pt {
	case types.JSONPatchType:
		merge, err = p.jsonPatch(data)
	case types.MergePatchType:
		merge, err = p.mergePatch(data)
	case types.StrategicMergePatchType:
		merge, err = p.strategicPatch(data)
	case types.ApplyYAMLPatchType:
		p.change, err = a.applying(p, data, o)
		return p, err
	default:
		err = unsupportedMediaType(PatchTypes...)
	}
	p.change = p.checked(merge)
	return p, err
}

// merge gives the object that a current one becomes, and what is wrong with its fields.
type merge func(current *store.Item) (obj runtime.Object, unknown []error, err error)

// checked is a merge whose results are objects of the right type, with no unknown fields where those are errors.
func (p *patch) checked(m merge) func(*store.Item) (runtime.Object, error) {
	return func(current *store.Item) (runtime.Object, error) {
		obj, unknown, err := m(current)
		if err != nil {
			return nil, err
		}
		if err := checkType(p.form.gvk, obj); err != nil {
			return nil, err
		}
		obj.GetObjectKind().SetGroupVersionKind(p.form.gvk)
		if p.found, err = judge(unknown, p.validation); err != nil {
			return nil, badPatch(field.OmitValueType{}, err)
		}
		return obj, nil
	}
}
