package kind

import (
	"context"
	"slices"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Subresource declares what is served under a name of its own below each object of a kind. There are three sorts:
// a part of the object, which Prepare confines a write to; a request about it, whose body New makes; and a
// connection to what runs, whose query parameters Options makes.
type Subresource struct {
	Name  string
	Verbs []string // sorted
	// GroupVersionKind and New are what is sent and answered. Empty: the kind's own.
	schema.GroupVersionKind
	New func() runtime.Object

	// Prepare keeps of the old object what a write to the subresource may not change.
	Prepare func(updated, old runtime.Object)
	// Validate checks what a write to the subresource has changed.
	Validate func(updated, old runtime.Object) field.ErrorList
	// Warnings are what a client should hear about a write to the subresource.
	Warnings func(ctx context.Context, obj runtime.Object) []string
	// Owns are the fields that a write to the subresource can make its manager's own. Nil: all.
	Owns fieldpath.Filter

	// Options makes what a connection is asked for by query parameters.
	Options func() runtime.Object
	// AnyPath tells that any path may follow the subresource's name, and any method be used.
	AnyPath bool
}

// The names of subresources that more than one part of the server knows.
const (
	statusName = "status"
	scaleName  = "scale"
)

// The verbs of subresources.
var (
	partVerbs    = []string{"get", "patch", "update"}
	requestVerbs = []string{"create"}
	connectVerbs = []string{"create", "get"}
	proxyVerbs   = []string{"create", "delete", "get", "patch", "update"}
)

// Subresource returns what is served under a name, with the type that is exchanged filled in.
func (k *Kind) Subresource(name string) (s Subresource, ok bool) {
	switch {
	case name == statusName && k.HasStatus:
		s = part(statusName, Subresource{
			Prepare: k.PrepareStatus, Validate: k.ValidateStatus, Warnings: k.StatusWarnings, Owns: allBut("spec"),
		})
	case name == scaleName && k.Scale != nil:
		s = Subresource{Name: scaleName, Verbs: partVerbs, GroupVersionKind: scaleKind, New: makes[autoscalingv1.Scale]()}
	default:
		i := slices.IndexFunc(k.Subresources, func(s Subresource) bool { return s.Name == name })
		if i < 0 {
			return s, false
		}
		s = k.Subresources[i]
	}
	if s.Kind == "" {
		s.GroupVersionKind = k.GroupVersionKind
	}
	return s, true
}

// AllSubresources returns those that the kind declares, its status and its scale, by name.
func (k *Kind) AllSubresources() []Subresource {
	names := []string{statusName, scaleName}
	for _, s := range k.Subresources {
		names = append(names, s.Name)
	}
	var all []Subresource
	for _, name := range names {
		if s, ok := k.Subresource(name); ok {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Subresource) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Owns are the fields that a write to the object itself can make its manager's own. Nil: all.
func (k *Kind) Owns() fieldpath.Filter {
	if !k.HasStatus {
		return nil
	}
	return allBut(statusName)
}

// Part declares a part of the object that is written alone: prepare keeps everything else.
func part(name string, s Subresource) Subresource {
	s.Name, s.Verbs = name, partVerbs
	return s
}

// request declares what is asked about an object by a body of its own.
func request[T any, P object[T]](name string, gvk schema.GroupVersionKind) Subresource {
	return Subresource{Name: name, Verbs: requestVerbs, GroupVersionKind: gvk, New: makes[T, P]()}
}

// connection declares a way to what runs; its options are what discovery tells of it.
func connection[T any, P object[T]](name string, verbs []string, options schema.GroupVersionKind) Subresource {
	return Subresource{Name: name, Verbs: verbs, GroupVersionKind: options, Options: makes[T, P]()}
}

// proxied is a connection that passes whole requests on.
func proxied(s Subresource) Subresource {
	s.AnyPath = true
	return s
}

var scaleKind = autoscalingv1.SchemeGroupVersion.WithKind("Scale")

// allBut is every field but those below the named one.
func allBut(name string) fieldpath.Filter {
	return fieldpath.NewExcludeSetFilter(fieldpath.NewSet(fieldpath.MakePathOrDie(name)))
}
