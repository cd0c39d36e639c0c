package resource

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"unicode"

	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"leme/server/kind"
)

// ownership tracks which manager set which field (metadata.managedFields), for server-side apply to find conflicts.
type ownership struct {
	converter func() (managedfields.TypeConverter, error)

	mu       sync.Mutex
	managers map[fieldsOf]*managedfields.FieldManager
}

// fieldsOf names what one field manager is for. A kind that is replaced at run time is another kind.
type fieldsOf struct {
	kind        *kind.Kind
	subresource string
}

func newOwnership() *ownership {
	return &ownership{
		converter: func() (managedfields.TypeConverter, error) {
			return applyconfigurations.NewTypeConverter(scheme.Scheme), nil
		},
		managers: map[fieldsOf]*managedfields.FieldManager{},
	}
}

// managerOf names the owner of the fields that a request sets.
func managerOf(t Target, requested string) string {
	switch {
	case requested != "":
		return requested
	case t.User != "":
		name := strings.Map(printable, t.User)
		return name[:min(len(name), metav1validation.FieldManagerMaxLength)]
	}
	return "unknown"
}

// printable replaces what a manager's name may not have.
func printable(r rune) rune {
	if r > unicode.MaxASCII || !unicode.IsPrint(r) {
		return '_'
	}
	return r
}

// track claims for the manager the fields in which obj differs from old. It never fails a write: at worst the
// owners stay as they were. With no manager it does nothing.
func (o *ownership) track(t Target, old, obj runtime.Object, manager string) {
	if manager == "" {
		return
	}
	fields, err := o.of(t)
	if err == nil {
		_, err = fields.Update(old, obj, manager)
	}
	if err != nil {
		slog.Warn("the owners of an object's fields are not updated", "resource", t.resource(), "namespace", t.Namespace, "name", t.Name, "err", err)
		metaOf(obj).SetManagedFields(metaOf(old).GetManagedFields())
	}
}

// of returns the field manager of the target's kind and subresource.
func (o *ownership) of(t Target) (*managedfields.FieldManager, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id := fieldsOf{t.Kind, t.Subresource}
	if fields, ok := o.managers[id]; ok {
		return fields, nil
	}
	converter, err := o.schema(t)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", t.Kind.Kind, err)
	}
	form := formOf(t)
	version := form.gvk.GroupVersion()
	fields, err := managedfields.NewDefaultFieldManager(converter, form, form, form, form.gvk, version, t.Subresource, owned(t, version))
	if err != nil {
		return nil, fmt.Errorf("tracking the fields of %s: %w", t.Kind.Kind, err)
	}
	o.managers[id] = fields
	return fields, nil
}

// schema is where the target's fields are described. A scale needs no description: it has one field to own.
func (o *ownership) schema(t Target) (managedfields.TypeConverter, error) {
	if t.Subresource == Scale {
		return managedfields.NewDeducedTypeConverter(), nil
	}
	return o.converter()
}

// owned are the fields that a write to the target can make its manager's own, whatever else it says; nil: all.
func owned(t Target, version schema.GroupVersion) map[fieldpath.APIVersion]fieldpath.Filter {
	filter := t.Kind.Owns()
	if s, ok := t.Kind.Subresource(t.Subresource); ok {
		filter = s.Owns
	}
	if filter == nil {
		return nil
	}
	return map[fieldpath.APIVersion]fieldpath.Filter{fieldpath.APIVersion(version.String()): filter}
}

// form is what a field manager asks about the objects it sees, all of one kind and version.
type form struct {
	gvk schema.GroupVersionKind
	new func() runtime.Object
	// defaults fills in an object that was merged.
	defaults func(runtime.Object)
}

func formOf(t Target) form {
	if s, ok := t.Kind.Subresource(t.Subresource); ok && s.New != nil {
		return form{s.GroupVersionKind, s.New, nil}
	}
	return form{t.Kind.GroupVersionKind, t.Kind.New, t.Kind.Default}
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

// ConvertToVersion turns a merged object into its Go type. There is only one version to convert to.
func (f form) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	u, ok := in.(runtime.Unstructured)
	if !ok {
		return in, nil
	}
	out := f.new()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.UnstructuredContent(), out); err != nil {
		return nil, err
	}
	out.GetObjectKind().SetGroupVersionKind(f.gvk)
	return out, nil
}

// Convert implements runtime.ObjectConvertor; field managers do not call it.
func (f form) Convert(_, _, _ any) error { return errors.New("objects are of one version only") }

// ConvertFieldLabel implements runtime.ObjectConvertor; field managers do not call it.
func (f form) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}
