package resource

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
)

// form is what a field manager asks about the objects it sees: all are of one kind, in one of its versions.
type form struct {
	gvk schema.GroupVersionKind
	new func() runtime.Object
	// defaults fills in an object that was merged.
	defaults func(runtime.Object)
	// versions are the forms in which the kind is served by now; nil: there is this one only.
	versions func() []*kind.Kind
}

func formOf(t Target) form {
	if s, ok := t.Kind.Subresource(t.Subresource); ok && s.New != nil {
		return form{gvk: s.GroupVersionKind, new: s.New}
	}
	return form{gvk: t.Kind.GroupVersionKind, new: t.Kind.New, defaults: t.Kind.Default}
}

// empty is an object of the kind with nothing set.
func (f form) empty() runtime.Object {
	obj := f.new()
	obj.GetObjectKind().SetGroupVersionKind(f.gvk)
	return obj
}

// New implements runtime.ObjectCreater.
func (f form) New(schema.GroupVersionKind) (runtime.Object, error) { return f.empty(), nil }

// Default implements runtime.ObjectDefaulter.
func (f form) Default(obj runtime.Object) {
	if f.defaults != nil {
		f.defaults(obj)
	}
}

// ConvertToVersion turns an object, or what was merged of one, into the Go type of a version.
func (f form) ConvertToVersion(in runtime.Object, target runtime.GroupVersioner) (runtime.Object, error) {
	if f.versions == nil {
		return typedForm(in, f.gvk, f.new)
	}
	from, err := f.served(in.GetObjectKind().GroupVersionKind().GroupVersion())
	if err != nil {
		return nil, err
	}
	to, err := f.served(target)
	if err != nil {
		return nil, err
	}
	obj, err := typedForm(in, from.GroupVersionKind, from.New)
	if err != nil || from == to {
		return obj, err
	}
	if from.Stored != nil {
		if obj, err = from.ToStored(obj); err != nil {
			return nil, fmt.Errorf("converting from %s: %w", from.GroupVersion(), err)
		}
	}
	if to.Stored != nil {
		if obj, err = to.FromStored(obj); err != nil {
			return nil, fmt.Errorf("converting to %s: %w", to.GroupVersion(), err)
		}
	}
	obj.GetObjectKind().SetGroupVersionKind(to.GroupVersionKind)
	return obj, nil
}

// served is the version of the kind that a group version asks for. Field managers drop the claims of those that are
// not served any more.
func (f form) served(version runtime.GroupVersioner) (*kind.Kind, error) {
	for _, k := range f.versions() {
		if found, ok := version.KindForGroupVersionKinds([]schema.GroupVersionKind{k.GroupVersionKind}); ok && found == k.GroupVersionKind {
			return k, nil
		}
	}
	return nil, runtime.NewNotRegisteredErrForKind("the versions served", f.gvk.GroupKind().WithVersion(version.Identifier()))
}

// typedForm gives an object its Go type.
func typedForm(in runtime.Object, gvk schema.GroupVersionKind, empty func() runtime.Object) (runtime.Object, error) {
	u, ok := in.(runtime.Unstructured)
	if !ok {
		return in, nil
	}
	out := empty()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.UnstructuredContent(), out); err != nil {
		return nil, err
	}
	out.GetObjectKind().SetGroupVersionKind(gvk)
	return out, nil
}

// Convert implements runtime.ObjectConvertor; field managers do not call it.
func (f form) Convert(_, _, _ any) error { return errors.New("objects are converted to versions only") }

// ConvertFieldLabel implements runtime.ObjectConvertor; field managers do not call it.
func (f form) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}
