package resource

import (
	"context"
	"leme/server/kind"
	"leme/server/store"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// API is the verbs on objects: admission, defaulting, validation, field management, finalizers, preconditions,
// over a store. HTTP handlers, controllers and the scheduler all write through it: the same rules for each.
// Every error is an *apierrors.StatusError (k8s.io/apimachinery/pkg/api/errors).
type API struct{}

// Target says what a request is about and who asks.
type Target struct {
	Kind        *kind.Kind
	Namespace   string
	Name        string
	Subresource string // "", "status", "scale", "binding", "eviction"
	User        string // for audit and admission; controllers give "system:…"
}

func New(store *store.Store, kinds *kind.Set) *API { panic("contract") }

func (a *API) Store() *store.Store { panic("contract") }
func (a *API) Kinds() *kind.Set    { panic("contract") }

// Warnings given while handling (unknown fields, deprecated…) are collected through the context: see WithWarnings.
func WithWarnings(ctx context.Context, add func(string)) context.Context { panic("contract") }

func (a *API) Get(ctx context.Context, t Target, o metav1.GetOptions) (*store.Item, error) {
	panic("contract")
}
func (a *API) List(ctx context.Context, t Target, o metav1.ListOptions) (*List, error) {
	panic("contract")
}

// List is the items that a list request selects, still as stored bytes.
type List struct {
	Items     []*store.Item
	Revision  int64
	Continue  string
	Remaining *int64
}

// Watch yields filtered events, from o.ResourceVersion on (unset: the state now as Added events first; sendInitialEvents, bookmarks as Kubernetes has them).
func (a *API) Watch(ctx context.Context, t Target, o metav1.ListOptions) (*Watch, error) {
	panic("contract")
}

type Watch struct{}

// Next blocks for at least one event. A Bookmark event has an Item with only metadata. Selector transitions are already turned into Added/Deleted.
func (w *Watch) Next(ctx context.Context) ([]store.Event, error) { panic("contract") }

func (a *API) Create(ctx context.Context, t Target, obj runtime.Object, o metav1.CreateOptions) (*store.Item, error) {
	panic("contract")
}

// Update replaces; created is true where the kind allows create on update.
func (a *API) Update(ctx context.Context, t Target, obj runtime.Object, o metav1.UpdateOptions) (item *store.Item, created bool, err error) {
	panic("contract")
}

// Patch: JSON, merge, strategic merge, apply (YAML or JSON).
func (a *API) Patch(ctx context.Context, t Target, pt types.PatchType, data []byte, o metav1.PatchOptions) (item *store.Item, created bool, err error) {
	panic("contract")
}

// Delete returns the object when it still exists (finalizers, graceful), gone=false; else its last state, gone=true.
func (a *API) Delete(ctx context.Context, t Target, o metav1.DeleteOptions) (item *store.Item, gone bool, err error) {
	panic("contract")
}
func (a *API) DeleteCollection(ctx context.Context, t Target, o metav1.DeleteOptions, lo metav1.ListOptions) (*List, error) {
	panic("contract")
}

// Change is one guarded write of UpdateMany.
type Change struct {
	Target
	Mutate func(runtime.Object) error // gets a private copy of the current object
}

// UpdateMany writes many changes in as few etcd transactions as it can (the scheduler's bindings); one error a change, nil where it was written.
func (a *API) UpdateMany(ctx context.Context, changes []Change) []error { panic("contract") }

// Follow calls fn for everything there is of a kind (Added), then for each change, until ctx ends; on "too old" it
// lists again and gives the differences. synced is called once after the first listing. It blocks.
func (a *API) Follow(ctx context.Context, k *kind.Kind, synced func(), fn func(store.Event)) error {
	panic("contract")
}

// Typed is typed access to one kind for controllers: reads come from the cache with no I/O and are shared (read-only).
type Typed[T runtime.Object] struct{}

func For[T runtime.Object](a *API, k *kind.Kind, user string) Typed[T] { panic("contract") }

func (c Typed[T]) Get(namespace, name string) (obj T, ok bool)      { panic("contract") }
func (c Typed[T]) List(namespace string, selector func(T) bool) []T { panic("contract") } // nil selector: all
func (c Typed[T]) Create(ctx context.Context, obj T) (T, error)     { panic("contract") }

// Update reads, calls mutate on a private copy, writes with the revision as precondition; again on conflict (bounded). No write when mutate changed nothing.
func (c Typed[T]) Update(ctx context.Context, namespace, name string, mutate func(T) error) (T, error) {
	panic("contract")
}
func (c Typed[T]) UpdateStatus(ctx context.Context, namespace, name string, mutate func(T) error) (T, error) {
	panic("contract")
}
func (c Typed[T]) Delete(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error {
	panic("contract")
}
