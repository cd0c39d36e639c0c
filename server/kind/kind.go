package kind

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Kind declares one resource kind. Function fields may be nil: then there is nothing to do.
// A Kind is shared and never changed once it is in a Set.
type Kind struct {
	schema.GroupVersionKind
	Resource   string // plural: "pods"
	Singular   string
	ShortNames []string
	Categories []string // "all"
	Namespaced bool
	// Deprecated is what every request about the kind is answered with as a warning, if anything.
	Deprecated string

	New     func() runtime.Object
	NewList func() runtime.Object

	// Stored is the kind in whose form the objects are stored, where this is another version of it; made by ServedAs.
	Stored *Kind
	// Of is the stored kind about whose objects these tell, by the same names. They are made when they are asked for,
	// by resource.WithMaker, and can only be got and listed; nothing of them is stored.
	Of *Kind
	// ToStored and FromStored convert between this version and the stored form.
	ToStored, FromStored func(runtime.Object) (runtime.Object, error)

	// Default fills in what Kubernetes does, before admission and validation, also on objects read from patches.
	Default func(runtime.Object)
	// PrepareCreate clears what users may not set (status) and sets generation 1 where the kind has one.
	PrepareCreate func(runtime.Object)
	// PrepareUpdate keeps the old status and raises the generation when the spec changed.
	PrepareUpdate func(updated, old runtime.Object)
	// PrepareStatus keeps the old spec: what a write to the status subresource may not change.
	PrepareStatus func(updated, old runtime.Object)

	// Validate checks what is the kind's own; ObjectMeta is checked by the verbs.
	Validate func(runtime.Object) field.ErrorList
	// ValidateCreate checks what only new objects must keep to; Validate has been called on them too.
	ValidateCreate func(runtime.Object) field.ErrorList
	// ValidateUpdate checks immutable fields; Validate has been called on updated too.
	ValidateUpdate func(updated, old runtime.Object) field.ErrorList
	// ValidateStatus checks a write to the status subresource.
	ValidateStatus func(updated, old runtime.Object) field.ErrorList
	// ValidateName returns what is wrong with a name, or with a generateName's prefix. Nil: a DNS subdomain.
	ValidateName func(name string, prefix bool) []string
	// Warnings are what a client should hear about an object that is accepted all the same.
	Warnings func(ctx context.Context, obj runtime.Object) []string
	// CreateWarnings are those about new objects only, StatusWarnings those about writes to the status subresource.
	CreateWarnings, StatusWarnings func(ctx context.Context, obj runtime.Object) []string

	// HasStatus tells that the status subresource is served.
	HasStatus bool
	// Scale is set where the scale subresource is served.
	Scale *Scale
	// Subresources are those that the kind has beside its status and scale.
	Subresources []Subresource
	// ConditionalUpdate tells that an update must name the revision it replaces.
	ConditionalUpdate bool
	// CreateOnUpdate tells that an update of what is not there makes it.
	CreateOnUpdate bool
	// Fields are the selectable fields beside metadata.name and metadata.namespace.
	Fields func(runtime.Object) fields.Set
	// FieldLabels are the names in Fields, so that an unknown selector is a 400.
	FieldLabels []string
	// Columns are the server-side table's; those with priority 1 show with -o wide only.
	Columns []metav1.TableColumnDefinition
	// Row returns one cell a column. A cell that depends on the time of printing is a Timed.
	Row func(runtime.Object) []any
	// GraceSeconds is how long, in seconds, a deletion waits for the kind's agent, given what the request asks for.
	// Nil: no graceful deletion.
	GraceSeconds func(obj runtime.Object, requested *int64) int64
	// Orphans tells that a deletion which says nothing of dependents lets go of them, as those of old kinds do.
	Orphans bool
	// NoVerbs are the verbs that are not served.
	NoVerbs []string
}

// Scale maps a kind to autoscaling/v1 Scale.
type Scale struct {
	// Replicas returns the wanted and the observed replicas, and the label selector as text.
	Replicas func(runtime.Object) (spec, status int32, selector string)
	// Set changes the wanted replicas.
	Set func(obj runtime.Object, replicas int32)
	// The JSON paths of what Replicas returns, as a custom resource would declare them.
	SpecPath, StatusPath, SelectorPath string
}

// GroupResource names the kind's resource without its version.
func (k *Kind) GroupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.Resource}
}

// GroupVersionResource names the kind's resource.
func (k *Kind) GroupVersionResource() schema.GroupVersionResource {
	return k.GroupVersion().WithResource(k.Resource)
}
