package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

var things = schema.GroupResource{Resource: "things"}

func thing(t *testing.T, name string, revision int64) *Item {
	t.Helper()
	it, err := newItem(Key{GroupResource: things, Name: name}, revision, []byte(`{"metadata":{}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func changed(t *testing.T, name string, revision int64) Event {
	t.Helper()
	return Event{Type: watch.Modified, Item: thing(t, name, revision)}
}

// TestNoBookmarkOfWhatWasMissed: once the cache was loaded anew, a reader that has not noticed yet must not say that it
// has seen everything up to now.
func TestNoBookmarkOfWhatWasMissed(t *testing.T) {
	c := newCache(nil, unsealed{})
	c.load(nil, 5)
	c.apply([]Event{changed(t, "a", 6)}, 7)
	w, err := c.watch(things, 6)
	if err != nil {
		t.Fatal(err)
	}
	if r := w.Revision(); r != 7 {
		t.Errorf("before the load the bookmark is %d", r)
	}
	c.load([]*Item{thing(t, "b", 9)}, 9)
	if r := w.Revision(); r > 7 {
		t.Errorf("the reader has not seen revision 9, and its bookmark is %d", r)
	}
	if _, err := w.Next(t.Context()); !errors.Is(err, ErrExpired) {
		t.Errorf("the reader goes on: %v", err)
	}
}

// TestResume: who comes back with the version of one object may have seen only a part of that revision's changes.
func TestResume(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setUp func(c *cache)
		from  int64
		want  string // the revisions that follow, or the error
	}{
		{"alone", func(c *cache) { c.apply([]Event{changed(t, "a", 6)}, 6) }, 6, "[8]"},
		{"with others", func(c *cache) { c.apply([]Event{changed(t, "a", 6), changed(t, "b", 6), changed(t, "c", 6)}, 6) }, 6, "[6 6 6 8]"},
		{"before others", func(c *cache) { c.apply([]Event{changed(t, "a", 6), changed(t, "b", 6)}, 6) }, 5, "[6 6 8]"},
		{"with others, loaded", func(c *cache) { c.load([]*Item{thing(t, "a", 6), thing(t, "b", 6)}, 6) }, 6, ErrExpired.Error()},
		{"alone, loaded", func(c *cache) { c.load([]*Item{thing(t, "a", 5), thing(t, "b", 6)}, 6) }, 6, "[8]"},
		{"with others, before the load", func(c *cache) { c.load([]*Item{thing(t, "a", 5), thing(t, "b", 5)}, 6) }, 6, "[8]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCache(nil, unsealed{})
			c.load(nil, 5)
			tt.setUp(c)
			c.apply([]Event{changed(t, "z", 8)}, 8)
			if got := follow(t, c, tt.from); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// follow gives the revisions of the events after a resumption, or its error.
func follow(t *testing.T, c *cache, from int64) string {
	t.Helper()
	w, err := c.resume(things, from)
	if err != nil {
		return err.Error()
	}
	events, err := w.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []int64
	for _, e := range events {
		all = append(all, e.Item.Revision)
	}
	return fmt.Sprint(all)
}

// bell counts how often it was told.
type bell struct{ rings int }

func (b *bell) Publish() { b.rings++ }

// TestListen: who shares a listener is told of a transaction once, and of the end; and takes without waiting.
func TestListen(t *testing.T) {
	c := newCache(nil, unsealed{})
	c.load(nil, 5)
	w, err := c.watch(things, 5)
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.watch(things, 5)
	if err != nil {
		t.Fatal(err)
	}
	b := w.Listen(func() Listener { return &bell{} }).(*bell)
	if shared := other.Listen(func() Listener { return &bell{} }); shared != Listener(b) {
		t.Error("two watches have two listeners")
	}
	for _, step := range []struct {
		name  string
		do    func()
		rings int
		taken int
		err   error
	}{
		{"nothing", func() {}, 0, 0, nil},
		{"a change", func() { c.apply([]Event{changed(t, "a", 6)}, 6) }, 1, 1, nil},
		{"progress", func() { c.apply(nil, 7) }, 1, 0, nil},
		{"a transaction of many", func() { c.apply([]Event{changed(t, "a", 8), changed(t, "b", 8), changed(t, "c", 8)}, 8) }, 2, 3, nil},
		{"a break", func() { c.load(nil, 9) }, 3, 0, ErrExpired},
	} {
		step.do()
		events, err := w.Take(nil)
		if b.rings != step.rings || len(events) != step.taken || !errors.Is(err, step.err) {
			t.Errorf("after %s: told %d times, took %d events, %v", step.name, b.rings, len(events), err)
		}
	}
	if w, err = c.watch(things, 9); err != nil {
		t.Fatal(err)
	}
	b = w.Listen(func() Listener { return &bell{} }).(*bell)
	c.stop()
	if _, err := w.Take(nil); b.rings != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: told %d times, %v", b.rings, err)
	}
}
