package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/store"
)

// session is one watch from its list to its end.
type session struct {
	listed   map[string]cell
	revision int64 // of the list
	events   []store.Event
	marks    []mark
}

// mark is what the watch said it had given everything of, after some events.
type mark struct {
	revision int64
	events   int
}

// observer lists and watches, again and again, until it has seen the last write.
type observer struct {
	open     func() *store.Store // the server as it is now
	last     string              // the key of the last write
	slow     func(ctx context.Context)
	sessions []*session
}

// run ends with an error when the last write never comes.
func (o *observer) run(ctx context.Context) error {
	for {
		s := &session{}
		end, err := o.watch(ctx, s)
		if s.listed != nil {
			o.sessions = append(o.sessions, s)
		}
		if end {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("an observer never saw the last write: %w", err)
		}
	}
}

// watch is one session; end tells that the last write was in it.
func (o *observer) watch(ctx context.Context, s *session) (end bool, err error) {
	server := o.open()
	snapshot, err := server.Consistent(ctx, configMaps)
	if err != nil {
		return false, err
	}
	s.listed, s.revision = cells(snapshot), snapshot.Revision()
	w, err := server.Watch(configMaps, s.revision)
	if err != nil {
		return false, err
	}
	if _, there := s.listed[o.last]; there {
		return true, nil
	}
	for {
		s.marks = append(s.marks, mark{w.Revision(), len(s.events)})
		events, err := w.Next(ctx)
		s.events = append(s.events, events...)
		if err != nil {
			return false, err
		}
		for _, e := range events {
			if e.Item.Key.Namespace+"/"+e.Item.Key.Name == o.last {
				return true, nil
			}
		}
		o.slow(ctx)
	}
}

// cells is what a snapshot shows.
func cells(s *store.Snapshot) map[string]cell {
	all := map[string]cell{}
	s.Ascend("", "", "", func(it *store.Item) bool {
		all[it.Key.Namespace+"/"+it.Key.Name] = shown(it)
		return true
	})
	return all
}

// shown is an item as its reader sees it: decoded from the JSON, with the version that this says.
func shown(it *store.Item) cell {
	if it == nil {
		return cell{}
	}
	object, err := it.Object()
	if err != nil {
		return cell{it.Revision, err.Error()}
	}
	m := object.(*corev1.ConfigMap)
	if m.ResourceVersion != fmt.Sprint(it.Revision) {
		return cell{it.Revision, "with version " + m.ResourceVersion}
	}
	return cell{it.Revision, m.Data["value"]}
}

// check holds a session against the truth: its list, each event once, in order, of its kind and with the states before
// and after it, and no bookmark ahead of the events.
func (s *session) check(t *testing.T, tr *truth) {
	t.Helper()
	if err := sameCells(s.listed, tr.at(s.revision)); err != nil {
		t.Errorf("the list at %d: %v", s.revision, err)
	}
	changes := tr.after(s.revision)
	for i, e := range s.events {
		if i >= len(changes) {
			t.Errorf("after %d: an event that never happened: %s", s.revision, text(e))
			return
		}
		if got, want := text(e), changes[i].text(); got != want {
			t.Errorf("event %d after %d:\ngot  %s\nwant %s", i, s.revision, got, want)
			return
		}
	}
	for _, m := range s.marks {
		if missed := m.events < len(changes) && changes[m.events].revision <= m.revision; missed {
			t.Errorf("after %d events from %d the bookmark was %d, but then came %s", m.events, s.revision, m.revision, changes[m.events].text())
			return
		}
	}
}

func sameCells(got, want map[string]cell) error {
	for key, c := range want {
		if got[key] != c {
			return fmt.Errorf("%s is %v, not %v", key, got[key], c)
		}
	}
	for key, c := range got {
		if _, ok := want[key]; !ok {
			return fmt.Errorf("%s is %v, and should not be there", key, c)
		}
	}
	return nil
}

// text is all that an event says.
func text(e store.Event) string {
	return fmt.Sprint(e.Type, " ", e.Item.Key.Namespace, "/", e.Item.Key.Name, " ", shown(e.Item), " was ", shown(e.Prev))
}

// text is what an event must say of a change: a deletion shows the last state, at the deletion's revision.
func (c change) text() string {
	kind, now := watch.Modified, cell{c.revision, c.value}
	switch {
	case c.value == "":
		kind, now.value = watch.Deleted, c.before.value
	case c.before == cell{}:
		kind = watch.Added
	}
	return fmt.Sprint(kind, " ", c.key, " ", now, " was ", c.before)
}

// patience bounds what must come in a moment.
const patience = time.Minute
