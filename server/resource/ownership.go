package resource

import (
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
	kinds     *kind.Set
	converter func() (managedfields.TypeConverter, error)

	mu       sync.Mutex
	managers map[fieldsOf]*managedfields.FieldManager
}

// fieldsOf names what one field manager is for. A kind that is replaced at run time is another kind.
type fieldsOf struct {
	kind        *kind.Kind
	subresource string
}

func newOwnership(kinds *kind.Set) *ownership {
	return &ownership{
		kinds: kinds,
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
	form, hub := formOf(t), t.Kind.Storage().GroupVersion()
	if form.gvk != t.Kind.GroupVersionKind {
		hub = form.gvk.GroupVersion()
	} else if versions := o.kinds.Versions(t.Kind.Storage()); len(versions) > 1 {
		form.versions = func() []*kind.Kind { return o.kinds.Versions(t.Kind.Storage()) }
	}
	fields, err := managedfields.NewDefaultFieldManager(converter, form, form, form, form.gvk, hub, t.Subresource, o.owned(t, form.gvk.GroupVersion()))
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

// owned are the fields that a write to the target can make its manager's own, whatever else it says, in each version;
// nil: all.
func (o *ownership) owned(t Target, version schema.GroupVersion) map[fieldpath.APIVersion]fieldpath.Filter {
	filter := t.Kind.Owns()
	if s, ok := t.Kind.Subresource(t.Subresource); ok {
		filter = s.Owns
	}
	if filter == nil {
		return nil
	}
	filters := map[fieldpath.APIVersion]fieldpath.Filter{fieldpath.APIVersion(version.String()): filter}
	for _, k := range o.kinds.Versions(t.Kind.Storage()) {
		filters[fieldpath.APIVersion(k.GroupVersion().String())] = filter
	}
	return filters
}
