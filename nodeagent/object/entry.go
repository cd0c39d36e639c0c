package object

import (
	"context"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// entry is one watched object. It is the store that a reflector fills.
type entry struct {
	key    key
	users  map[types.UID]bool // guarded by the cache's mutex
	stop   context.CancelFunc
	object atomic.Pointer[runtime.Object] // nil: the server has none
	synced chan struct{}                  // closed once the server has answered
	once   sync.Once
	tell   func()
}

func newEntry(k key) *entry {
	return &entry{key: k, users: map[types.UID]bool{}, stop: func() {}, synced: make(chan struct{})}
}

// watch follows the object until the context ends.
func (c *Cache) watch(ctx context.Context, e *entry) {
	e.tell = func() { c.changed(e) }
	selector := "metadata.name=" + e.key.name
	if e.key.resource == "secrets" {
		Follow(ctx, c.client, c.client.CoreV1().Secrets(e.key.namespace), selector, &corev1.Secret{}, e)
	} else {
		Follow(ctx, c.client, c.client.CoreV1().ConfigMaps(e.key.namespace), selector, &corev1.ConfigMap{}, e)
	}
}

// Add, Update, Delete, Replace and Resync make an entry a cache.ReflectorStore of at most one object.

func (e *entry) Add(obj any) error    { e.set(obj); return nil }
func (e *entry) Update(obj any) error { e.set(obj); return nil }
func (e *entry) Delete(any) error     { e.set(nil); return nil }
func (e *entry) Resync() error        { return nil }

func (e *entry) Replace(list []any, _ string) error {
	if len(list) == 0 {
		e.set(nil)
		return nil
	}
	e.set(list[0])
	return nil
}

func (e *entry) set(obj any) {
	if o, ok := obj.(runtime.Object); ok {
		if old := e.object.Swap(&o); old != nil && version(*old) == version(o) && equality.Semantic.DeepEqual(*old, o) {
			return // the same; another of that version is of a server that has gone back to a backup
		}
	} else {
		e.object.Store(nil)
	}
	if isImmutable(obj) {
		e.stop() // it stays as it is for as long as anybody here uses it
	}
	first := false
	e.once.Do(func() { first = true; close(e.synced) })
	if !first { // who waits for the first answer is no user yet that would have to be told
		e.tell()
	}
}

// isImmutable tells of a ConfigMap or Secret that nobody can change.
func isImmutable(obj any) bool {
	switch o := obj.(type) {
	case *corev1.ConfigMap:
		return o.Immutable != nil && *o.Immutable
	case *corev1.Secret:
		return o.Immutable != nil && *o.Immutable
	}
	return false
}

func version(o runtime.Object) string {
	if m, ok := o.(metav1.Object); ok {
		return m.GetResourceVersion()
	}
	return ""
}
