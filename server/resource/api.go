package resource

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"leme/server/kind"
	"leme/server/store"
)

// API is the verbs. Its methods may be called concurrently.
type API struct {
	store *store.Store
	kinds *kind.Set
	owner *ownership
	pages *pages

	charging *charging
	services Services

	guards []Guard
	maker  Maker
}

// Option configures an API.
type Option func(*API)

// WithTypeConverter sets where the schemas for field management come from. It is called when the fields of a kind
// are first tracked. The default is client-go's schemas of the built-in kinds.
func WithTypeConverter(get func() (managedfields.TypeConverter, error)) Option {
	return func(a *API) { a.owner.converter = get }
}

// New returns the verbs on kinds over a store.
func New(s *store.Store, kinds *kind.Set, options ...Option) *API {
	a := &API{store: s, kinds: kinds, owner: newOwnership(kinds), pages: &pages{}, charging: newCharging()}
	a.services = Services{Families: []corev1.IPFamily{corev1.IPv4Protocol}, NodePorts: DefaultNodePorts}
	for _, option := range options {
		option(a)
	}
	return a
}

// Store is what the API reads and writes.
func (a *API) Store() *store.Store { return a.store }

// Kinds is what the API serves.
func (a *API) Kinds() *kind.Set { return a.kinds }

// Subresources, as Target names them.
const (
	Status   = "status"
	Resize   = "resize"   // of pods
	Scale    = "scale"    // of kinds that declare one
	Binding  = "binding"  // of pods: create only
	Eviction = "eviction" // of pods: create only
	Finalize = "finalize" // of namespaces: update only
)

// Target says what a request is about and who asks.
type Target struct {
	Kind        *kind.Kind
	Namespace   string
	Name        string
	Subresource string // "" is the object itself
	User        string // owns the fields that a request without field manager sets; controllers give "system:…"
}

func (t Target) resource() schema.GroupResource { return t.Kind.Storage().GroupResource() }

func (t Target) key() store.Key {
	return store.Key{GroupResource: t.resource(), Namespace: t.Namespace, Name: t.Name}
}

// Named is the target with another name.
func (t Target) Named(name string) Target {
	t.Name = name
	return t
}

type warningsKey struct{}

// WithWarnings returns a context through which what a client should hear (unknown fields, deprecations) is added
// while its request is handled.
func WithWarnings(ctx context.Context, add func(string)) context.Context {
	return context.WithValue(ctx, warningsKey{}, add)
}

type annotationsKey struct{}

// WithAnnotations returns a context through which admission tells the audit log what it has found.
func WithAnnotations(ctx context.Context, add func(key, value string)) context.Context {
	return context.WithValue(ctx, annotationsKey{}, add)
}

func annotate(ctx context.Context, key, value string) {
	if add, ok := ctx.Value(annotationsKey{}).(func(key, value string)); ok {
		add(key, value)
	}
}

func warn(ctx context.Context, warnings ...string) {
	add, ok := ctx.Value(warningsKey{}).(func(string))
	if !ok {
		return
	}
	for _, w := range warnings {
		add(w)
	}
}
