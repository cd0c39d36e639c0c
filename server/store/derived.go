package store

import (
	"fmt"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
)

// derived is what is made of an item's bytes when somebody needs it, once for all who do: the decoded object, and
// other forms of it. Together they are several times as large as the bytes, so they stay only while they are used.
type derived struct {
	used  atomic.Bool // since the last tidying
	memos memos

	once   sync.Once
	object runtime.Object
	err    error

	mu       sync.Mutex
	versions []version
}

// version is the item in another API version.
type version struct {
	of   any
	item *Item
}

// memos are bytes made of an item, by name.
type memos struct {
	mu  sync.Mutex
	all []memo
}

type memo struct {
	name  string
	bytes []byte
}

// Object decodes the item, once for everybody who needs it at about the same time. The result is shared: DeepCopy it
// before changing it.
func (it *Item) Object() (runtime.Object, error) {
	d := it.forms()
	d.once.Do(func() {
		d.object, d.err = it.decode(it.Key.GroupResource, it.JSON)
		if d.err != nil {
			d.err = fmt.Errorf("decoding %s at revision %d: %w", it.Key, it.Revision, d.err)
		}
	})
	return d.object, d.err
}

// Memo returns the bytes made for this revision under a name (a table row, protobuf), making them once while they are
// used. They are shared: never modify them.
func (it *Item) Memo(name string, make func(*Item) ([]byte, error)) ([]byte, error) {
	return it.forms().memos.get(it, name, make)
}

// Keep is Memo for what is small and looked at in every item, such as what selectors ask for: it stays with the item.
func (it *Item) Keep(name string, make func(*Item) ([]byte, error)) ([]byte, error) {
	return it.kept.get(it, name, make)
}

// Form returns the item in another form, such as another API version, which is made once while it is used. of tells
// the forms apart; what cannot be made is tried again.
func (it *Item) Form(of any, make func(*Item) (*Item, error)) (*Item, error) {
	d := it.forms()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.versions {
		if v.of == of {
			return v.item, nil
		}
	}
	made, err := make(it)
	if err != nil {
		return nil, err
	}
	d.versions = append(d.versions, version{of, made})
	return made, nil
}

// forms gives what has been made of the item, and marks it as used.
func (it *Item) forms() *derived {
	for {
		d := it.derived.Load()
		if d == nil {
			it.derived.CompareAndSwap(nil, &derived{})
			continue
		}
		if !d.used.Load() { // most often it is: then its memory stays shared between the processors
			d.used.Store(true)
		}
		return d
	}
}

// forget drops what nobody has used since it was last called. Whoever still holds some of it is not disturbed.
func (it *Item) forget() bool {
	d := it.derived.Load()
	return d != nil && !d.used.Swap(false) && it.derived.CompareAndSwap(d, nil)
}

func (m *memos) get(it *Item, name string, make func(*Item) ([]byte, error)) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, kept := range m.all {
		if kept.name == name {
			return kept.bytes, nil
		}
	}
	made, err := make(it)
	if err != nil {
		return nil, err
	}
	m.all = append(m.all, memo{name, made})
	return made, nil
}
