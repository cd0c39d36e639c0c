package store

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Key names one object.
type Key struct {
	schema.GroupResource
	Namespace string // empty for cluster-scoped resources
	Name      string
}

// Item is one object at one revision. It is immutable and shared by all readers.
type Item struct {
	Key Key
	// Revision is the etcd mod revision, which clients see as metadata.resourceVersion.
	Revision int64
	// JSON is the whole object with its resourceVersion, starting {"kind":…,"apiVersion":…,"metadata":{…. Never modify it.
	JSON []byte
}

// Object decodes the item at most once. The result is shared: DeepCopy it before changing it.
func (it *Item) Object() (runtime.Object, error) { panic("contract") }

// Untyped is the JSON without kind and apiVersion, as a list of a built-in type holds its items: it starts `{"metadata":`.
func (it *Item) Untyped() []byte { panic("contract") }

// Memo returns the bytes made for this revision under this name (a table row, protobuf, a watch frame), making them at most once.
func (it *Item) Memo(name string, make func(*Item) ([]byte, error)) ([]byte, error) {
	panic("contract")
}

// NewItem makes an item that is not in the store: a dry run's result, a Scale. raw carries its resourceVersion already.
func NewItem(key Key, revision int64, raw []byte, object runtime.Object) *Item { panic("contract") }

// Encode gives an object's stored form: JSON, kind and apiVersion first, without resourceVersion.
func Encode(object runtime.Object, gvk schema.GroupVersionKind) ([]byte, error) { panic("contract") }

// Op is one write of a transaction. Every write states what it saw.
type Op struct {
	Key    Key
	Value  []byte // as Encode gives it; nil deletes
	Expect int64  // the revision that the key must have now; 0: it must not exist
}

var (
	ErrExpired = errors.New("store: revision is too old")       // 410
	ErrFuture  = errors.New("store: revision is in the future") // 504 with a "too large resource version" cause
)

// ConflictError says which op's precondition failed; Exists tells a create from an update.
// When Commit returns it, the cache already holds the newer state.
type ConflictError struct {
	Key    Key
	Expect int64
}

func (e *ConflictError) Error() string { panic("contract") }

// Commit writes all ops in one etcd transaction, or none. It returns after this server's own
// cache holds the result, so what the caller reads next shows it. The revision is that of every item written.
func (s *Store) Commit(ctx context.Context, ops ...Op) (int64, error) { panic("contract") }

// Snapshot is what the cache holds now (resourceVersion=0). It does no I/O.
func (s *Store) Snapshot(gr schema.GroupResource) *Snapshot { panic("contract") }

// Consistent waits until the cache has reached etcd's revision of this moment.
func (s *Store) Consistent(ctx context.Context, gr schema.GroupResource) (*Snapshot, error) {
	panic("contract")
}

// NotOlderThan waits (bounded) until the cache has reached a revision; ErrFuture if it does not.
func (s *Store) NotOlderThan(ctx context.Context, gr schema.GroupResource, revision int64) (*Snapshot, error) {
	panic("contract")
}

// At gives the past as etcd still has it; ErrExpired once compacted.
func (s *Store) At(ctx context.Context, gr schema.GroupResource, revision int64) (*Snapshot, error) {
	panic("contract")
}

// Snapshot is one resource at one revision, sorted by namespace, then name. Immutable.
type Snapshot struct{}

func (s *Snapshot) Revision() int64                  { panic("contract") }
func (s *Snapshot) Len() int                         { panic("contract") }
func (s *Snapshot) Get(namespace, name string) *Item { panic("contract") } // nil when absent
// Ascend calls fn in order for the items of a namespace (all when empty) that come
// strictly after the given namespace and name (from the start when both are empty), until fn returns false.
func (s *Snapshot) Ascend(namespace string, afterNamespace, afterName string, fn func(*Item) bool) {
	panic("contract")
}

// Event is one change. Item is the new state; of a deletion the last state, with the deletion's revision.
// Prev is the state before, nil for Added.
type Event struct {
	Type watch.EventType // Added, Modified, Deleted
	Item *Item
	Prev *Item
}

// Watch follows one resource from just after a revision. ErrExpired when the cache no longer has that far back.
func (s *Store) Watch(gr schema.GroupResource, after int64) (*Watch, error) { panic("contract") }

// Watch is a cursor over the cache's event list: slow readers cost nobody anything.
type Watch struct{}

// Next blocks until there is at least one event. ErrExpired when the reader fell too far behind.
func (w *Watch) Next(ctx context.Context) ([]Event, error) { panic("contract") }

// Revision is the newest revision of which everything has been returned, for bookmarks.
func (w *Watch) Revision() int64 { panic("contract") }

type Store struct{}
