package resource

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/store"
)

// bookmarkEvery is how often a watch that allows bookmarks gets one.
const bookmarkEvery = time.Minute

// initialBatch is how many of the objects that are there already Next gives at once.
const initialBatch = 512

// Watch follows what a request selects. Without a resourceVersion, or with "0", it gives everything there is as Added
// first; with one, the changes after it (and again those of that very revision, when it changed several objects of the
// resource at once: a client that lost its connection may know only some). sendInitialEvents asks for the former in any case, or forbids it, and has a
// bookmark with the annotation k8s.io/initial-events-end follow.
func (a *API) Watch(ctx context.Context, t Target, o metav1.ListOptions) (*Watch, error) {
	if err := validateListOptions(o, true); err != nil {
		return nil, err
	}
	s, err := newSelector(t, o)
	if err != nil {
		return nil, err
	}
	revision, err := parseRevision(o.ResourceVersion)
	if err != nil {
		return nil, err
	}
	start := a.store.Resume
	w := &Watch{target: t, selector: s, plain: s.every() && !t.converted(), bookmarks: o.AllowWatchBookmarks, due: time.Now().Add(bookmarkEvery)}
	if revision > a.store.Snapshot(t.resource()).Revision() { // of another server, or of another time
		if _, err := a.notOlderThan(ctx, t, revision); err != nil {
			return nil, err
		}
	}
	state := o.SendInitialEvents != nil && *o.SendInitialEvents
	if state || revision == 0 {
		snapshot, err := a.read(ctx, t, o.ResourceVersion)
		if err != nil {
			return nil, err
		}
		revision, start = snapshot.Revision(), a.store.Watch
		if state || o.SendInitialEvents == nil {
			if err := w.begin(snapshot); err != nil {
				return nil, asStatus(t, err)
			}
			w.ending = state && o.AllowWatchBookmarks
		}
	}
	w.start = revision
	source, err := start(t.resource(), revision)
	if err != nil {
		return nil, w.failed(err)
	}
	w.source = *source
	return w, nil
}

// Watch is one request's view of a resource's changes. One goroutine may use it; it needs no closing.
type Watch struct {
	source    store.Watch
	plain     bool // every change is shown, as it is stored
	target    Target
	selector  *selector
	start     int64         // the revision that source starts after
	initial   []store.Event // what is there already and has not been given yet
	ending    bool          // the bookmark after the initial events is still to come
	bookmarks bool
	due       time.Time // when the next bookmark is
	waiting   waiting   // until then
}

// waiting is a context with a deadline. It serves one wait after the other: most end long before it.
type waiting struct {
	context.Context
	parent context.Context
	end    context.CancelFunc
}

// until gives a context that ends with its parent, or at a time.
func (w *waiting) until(parent context.Context, due time.Time) context.Context {
	if w.parent != parent {
		w.stop()
		w.parent = parent
		w.Context, w.end = context.WithDeadline(parent, due)
	}
	return w.Context
}

func (w *waiting) stop() {
	if w.end != nil {
		w.end()
	}
	*w = waiting{}
}

// begin makes a first event of everything there is.
func (w *Watch) begin(snapshot *store.Snapshot) error {
	list, err := collect(snapshot, w.selector, continuation{}, 0)
	if err != nil {
		return err
	}
	if err := w.target.showAll(list.Items); err != nil {
		return err
	}
	w.initial = make([]store.Event, len(list.Items))
	for i, it := range list.Items {
		w.initial[i] = store.Event{Type: watch.Added, Item: it}
	}
	return nil
}

// Catching says whether Next has more of what was there when the watch began.
func (w *Watch) Catching() bool { return len(w.initial) > 0 || w.ending }

// Next blocks for at least one event; what it returns is good until the next call. An object that starts or stops being selected is Added or Deleted. A Bookmark's
// item has nothing but a resourceVersion. The error is ctx's own, or a Status: 410 Expired when the watch has fallen
// too far behind and its client must list again.
func (w *Watch) Next(ctx context.Context) ([]store.Event, error) {
	if len(w.initial) > 0 {
		n := min(len(w.initial), initialBatch)
		events := w.initial[:n:n]
		w.initial = w.initial[n:]
		return events, nil
	}
	if w.ending {
		w.ending = false
		return w.bookmark(w.start, map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	for {
		events, err := w.wait(ctx)
		switch {
		case errors.Is(err, errBookmarkDue):
			return w.bookmark(w.source.Revision(), nil)
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, w.failed(err)
		}
		if events, err = w.see(events); len(events) > 0 || err != nil {
			return events, err
		}
	}
}

// see is what the request is shown of changes.
func (w *Watch) see(events []store.Event) ([]store.Event, error) {
	events, err := w.selector.view(events)
	if err == nil && len(events) > 0 {
		events, err = w.target.showEvents(events)
	}
	return events, asStatus(w.target, err)
}

// Take is Next for who does not wait: it appends the changes that there are by now, which may be none. It gives no
// bookmarks, and nothing of what was there when the watch began: while Catching, and when the context of Quiet has
// ended, call Next.
func (w *Watch) Take(dst []store.Event) ([]store.Event, error) {
	for {
		events, err := w.source.Take(dst)
		if err != nil {
			return dst, w.failed(err)
		}
		fresh := events[len(dst):]
		if len(fresh) == 0 || w.plain {
			return events, nil
		}
		if fresh, err = w.see(fresh); len(fresh) > 0 || err != nil {
			return append(dst, fresh...), err
		}
	}
}

// Quiet gives a context that ends with its parent, or when a bookmark is due.
func (w *Watch) Quiet(parent context.Context) context.Context {
	if !w.bookmarks {
		return parent
	}
	return w.waiting.until(parent, w.due)
}

// Listen gives the listener that all watches of the resource share, and makes it for the first of them.
func (w *Watch) Listen(create func() store.Listener) store.Listener { return w.source.Listen(create) }

var errBookmarkDue = errors.New("a bookmark is due")

// wait gives the next events, or errBookmarkDue.
func (w *Watch) wait(ctx context.Context) ([]store.Event, error) {
	if !w.bookmarks {
		return w.source.Next(ctx)
	}
	if !time.Now().Before(w.due) {
		return nil, errBookmarkDue
	}
	waiting := w.Quiet(ctx)
	events, err := w.source.Next(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, errBookmarkDue
	}
	return events, err
}

func (w *Watch) bookmark(revision int64, annotations map[string]string) ([]store.Event, error) {
	w.waiting.stop()
	w.due = time.Now().Add(bookmarkEvery)
	obj := formOf(Target{Kind: w.target.Kind}).empty()
	metaOf(obj).SetAnnotations(annotations)
	stored, err := store.Encode(obj, w.target.Kind.GroupVersionKind)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	key := store.Key{GroupResource: w.target.resource()}
	return []store.Event{{Type: watch.Bookmark, Item: newItem(key, revision, stored, obj)}}, nil
}

func (w *Watch) failed(err error) error {
	if errors.Is(err, store.ErrExpired) {
		return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d", w.start))
	}
	return asStatus(w.target, err)
}

// view is what a selector sees of changes; the slice itself when that is all of them.
func (s *selector) view(events []store.Event) ([]store.Event, error) {
	if s.every() {
		return events, nil
	}
	var seen []store.Event
	for _, e := range events {
		e, ok, err := s.viewOne(e)
		if err != nil {
			return nil, err
		}
		if ok {
			seen = append(seen, e)
		}
	}
	return seen, nil
}

func (s *selector) viewOne(e store.Event) (store.Event, bool, error) {
	now, err := s.matches(e.Item)
	if err != nil || e.Type != watch.Modified {
		return e, now, err
	}
	before, err := s.matches(e.Prev)
	switch {
	case err != nil:
		return e, false, err
	case now && !before:
		return store.Event{Type: watch.Added, Item: e.Item}, true, nil
	case before && !now:
		left, err := at(e.Prev, e.Item.Revision)
		return store.Event{Type: watch.Deleted, Item: left, Prev: e.Prev}, true, err
	}
	return e, now, nil
}
