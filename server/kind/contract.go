package kind

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Kind declares one resource kind; resource, rest, discovery, OpenAPI, tables and completion derive from it.
// Function fields may be nil: then there is nothing to do.
type Kind struct {
	schema.GroupVersionKind
	Resource   string // plural: "pods"
	Singular   string
	ShortNames []string
	Categories []string // "all"
	Namespaced bool

	New     func() runtime.Object
	NewList func() runtime.Object

	// Default fills in what Kubernetes v1.37 does, before admission and validation, also on objects read from patches.
	Default func(runtime.Object)
	// PrepareCreate clears what users may not set (status) and sets generation 1 where the kind has one.
	PrepareCreate func(runtime.Object)
	// PrepareUpdate keeps the old status, raises the generation when the spec changed.
	PrepareUpdate func(updated, old runtime.Object)
	// PrepareStatus keeps everything of old but status (a write to the status subresource).
	PrepareStatus func(updated, old runtime.Object)

	Validate       func(runtime.Object) field.ErrorList              // kind-specific part; ObjectMeta is checked by resource
	ValidateUpdate func(updated, old runtime.Object) field.ErrorList // immutable fields; Validate has been called too
	ValidateStatus func(updated, old runtime.Object) field.ErrorList
	ValidateName   func(name string, prefix bool) []string // default: DNS subdomain
	Warnings       func(ctx context.Context, obj runtime.Object) []string

	HasStatus bool // serves the status subresource
	Scale     *Scale
	// Fields are the selectable fields beside metadata.name and metadata.namespace.
	Fields      func(runtime.Object) fields.Set
	FieldLabels []string // their names, so that an unknown selector is a 400
	Columns     []metav1.TableColumnDefinition
	Row         func(runtime.Object) []any // one cell a column
	// GraceSeconds is how long a deletion waits for the kind's agent (pods: spec.terminationGracePeriodSeconds; 0 when not scheduled); nil: no graceful deletion.
	GraceSeconds func(obj runtime.Object, requested *int64) int64
	// DefaultPropagation when the DeleteOptions give none: Background for all of ours.
	NoVerbs []string // verbs that are not served, e.g. none
}

// Scale maps a kind to autoscaling/v1 Scale.
type Scale struct {
	Replicas                           func(runtime.Object) (spec, status int32, selector string)
	Set                                func(obj runtime.Object, replicas int32)
	SpecPath, StatusPath, SelectorPath string
}

func (k *Kind) GroupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.Resource}
}

// Set is the kinds a server serves. It can grow at run time (custom resources, later): never freeze it at start.
type Set struct{}

// All returns the set of built-in kinds (kinds.go is the visible list).
func All() *Set { panic("contract") }

func (s *Set) Lookup(gvr schema.GroupVersionResource) *Kind { panic("contract") } // nil when unknown
func (s *Set) ByKind(gvk schema.GroupVersionKind) *Kind     { panic("contract") }
func (s *Set) ByResource(gr schema.GroupResource) *Kind     { panic("contract") } // the storage version
func (s *Set) List() []*Kind                                { panic("contract") } // discovery's order
func (s *Set) Changed() <-chan struct{}                     { panic("contract") } // closed at the next change

// Package variables, one a built-in kind, e.g. kind.Pod, kind.Deployment: what controllers name.
var Pod, Node, Namespace, ConfigMap, Secret, ServiceAccount, Event, Lease, ReplicaSet, Deployment *Kind
