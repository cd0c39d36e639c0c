package everykind

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// awaitEvent reads a watch up to an event of a type, and of an object that holds what is looked for; controllers may
// write in between, so other changes may come first, but nothing else.
func awaitEvent[T runtime.Object](t *testing.T, w watch.Interface, event watch.EventType, holds func(T) bool) (found T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		select {
		case e, open := <-w.ResultChan():
			obj, ok := e.Object.(T)
			switch {
			case !open:
				t.Fatalf("the watch ended before %s", event)
			case !ok:
				t.Fatalf("the watch brought %s %T %v", e.Type, e.Object, e.Object)
			case e.Type == event && (holds == nil || holds(obj)):
				return obj
			case e.Type != watch.Modified:
				t.Fatalf("the watch brought %s %v before %s", e.Type, e.Object, event)
			}
		case <-ctx.Done():
			t.Fatalf("no %s came", event)
		}
	}
}

// version is a resource version as the number that it is.
func version(t *testing.T, obj metav1.Object) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(obj.GetResourceVersion(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func hasLabel(key string) func(metav1.Object) bool {
	return func(obj metav1.Object) bool { return obj.GetLabels()[key] != "" }
}

// life makes, changes and removes an object, with a watch on it that tells of each in turn.
func life[T runtime.Object](t *testing.T, s *subject, w watch.Interface, name string, metaOf func(T) metav1.Object) {
	defer w.Stop()
	obj := s.next()
	obj.SetName(name)
	if _, err := s.objects().Create(t.Context(), obj, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	defer s.remove(t, name)
	changed := func(got T) bool { return hasLabel("life")(metaOf(got)) }
	added := version(t, metaOf(awaitEvent[T](t, w, watch.Added, nil)))
	s.patch(t, name, labelled("life", "yes"))
	modified := version(t, metaOf(awaitEvent(t, w, watch.Modified, changed)))
	s.remove(t, name)
	last := metaOf(awaitEvent(t, w, watch.Deleted, changed))
	if deleted := version(t, last); added >= modified || modified >= deleted {
		t.Errorf("the events are of versions %d, %d, %d", added, modified, deleted)
	}
	if last.GetName() != name || last.GetUID() == "" {
		t.Errorf("the last state is %v", last)
	}
}

// watchOptions begin a watch of one object at the present.
func (s *subject) watchOptions(t *testing.T, name string) metav1.ListOptions {
	t.Helper()
	at := s.list(t, metav1.ListOptions{Limit: 1}).GetResourceVersion()
	return metav1.ListOptions{ResourceVersion: at, FieldSelector: "metadata.name=" + name}
}

func watchLife(t *testing.T, s *subject) {
	name := s.next().GetName()
	w, err := s.objects().Watch(t.Context(), s.watchOptions(t, name))
	if err != nil {
		t.Fatal(err)
	}
	life(t, s, w, name, func(obj runtime.Object) metav1.Object { return metaOf(t, obj) })
}

func watchForms(t *testing.T, s *subject) {
	t.Run("protobuf", func(t *testing.T) {
		name := s.next().GetName()
		life(t, s, s.typedWatch(t, s.watchOptions(t, name)), name, func(obj runtime.Object) metav1.Object { return metaOf(t, obj) })
	})
	t.Run("metadata", func(t *testing.T) {
		name := s.next().GetName()
		w, err := s.metadata.Resource(s.gvr).Namespace(s.namespace).Watch(t.Context(), s.watchOptions(t, name))
		if err != nil {
			t.Fatal(err)
		}
		life(t, s, w, name, func(obj *metav1.PartialObjectMetadata) metav1.Object { return obj })
	})
	t.Run("table", func(t *testing.T) { watchTable(t, s) })
}

// typedWatch is a watch in protobuf, whose objects are of their Go types.
func (s *subject) typedWatch(t *testing.T, options metav1.ListOptions) watch.Interface {
	t.Helper()
	config := rest.CopyConfig(s.config)
	gv := s.gvr.GroupVersion()
	config.GroupVersion, config.APIPath, config.NegotiatedSerializer = &gv, "/apis", scheme.Codecs.WithoutConversion()
	config.ContentType, config.AcceptContentTypes = asProtobuf, asProtobuf
	if gv.Group == "" {
		config.APIPath = "/api"
	}
	client, err := rest.RESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	options.Watch = true
	w, err := client.Get().NamespaceIfScoped(s.namespace, s.Namespaced).Resource(s.gvr.Resource).
		VersionedParams(&options, scheme.ParameterCodec).Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// watchTable: only the first event tells of the columns.
func watchTable(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := s.raw.Get().AbsPath(s.path()).SetHeader("Accept", asTable).
		Param("watch", "true").Param("fieldSelector", "metadata.name="+name).Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	decoder := json.NewDecoder(stream)
	next := func() (event metav1.WatchEvent, rows *metav1.Table) {
		t.Helper()
		if err := decoder.Decode(&event); err != nil {
			t.Fatal(err)
		}
		rows = &metav1.Table{}
		if err := json.Unmarshal(event.Object.Raw, rows); err != nil || rows.Kind != "Table" || len(rows.Rows) != 1 {
			t.Fatalf("%v, %s", err, event.Object.Raw)
		}
		return event, rows
	}
	event, rows := next()
	if event.Type != "ADDED" || len(rows.ColumnDefinitions) != len(rows.Rows[0].Cells) || rowMeta(t, rows.Rows[0]).Name != name {
		t.Errorf("the first event is %s %v", event.Type, rows)
	}
	s.patch(t, name, labelled("table", "yes"))
	s.remove(t, name)
	for event.Type != "DELETED" {
		event, rows = next()
		if len(rows.ColumnDefinitions) != 0 || rowMeta(t, rows.Rows[0]).Name != name {
			t.Errorf("a later event is %s %v", event.Type, rows)
		}
	}
	if rowMeta(t, rows.Rows[0]).Labels["table"] == "" {
		t.Error("the deletion has not the last state")
	}
}

// watchLabels: an object that ceases to be selected is gone for who watches, one that begins to be is new.
func watchLabels(t *testing.T, s *subject) {
	name := s.make(t, "watched", "yes").GetName()
	w, err := s.objects().Watch(t.Context(), metav1.ListOptions{LabelSelector: "watched=yes"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	awaitEvent[runtime.Object](t, w, watch.Added, nil)
	s.patch(t, name, labelled("watched", "no"))
	gone := metaOf(t, awaitEvent[runtime.Object](t, w, watch.Deleted, nil))
	if gone.GetLabels()["watched"] != "yes" {
		t.Errorf("the last state that was selected had %v", gone.GetLabels())
	}
	s.patch(t, name, labelled("watched", "yes"))
	if back := awaitEvent[runtime.Object](t, w, watch.Added, nil); version(t, metaOf(t, back)) <= version(t, gone) {
		t.Error("it came back before it went")
	}
}

// watchInitial: a watch may begin with what there is, and tells by a bookmark where that ends.
func watchInitial(t *testing.T, s *subject) {
	want := map[string]bool{s.make(t, "initial", "yes").GetName(): true, s.make(t, "initial", "yes").GetName(): true}
	yes := true
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	w, err := s.objects().Watch(ctx, metav1.ListOptions{
		LabelSelector: "initial", SendInitialEvents: &yes, AllowWatchBookmarks: true,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for {
		e, open := <-w.ResultChan()
		if !open {
			t.Fatal("the watch ended before its bookmark")
		}
		obj := metaOf(t, e.Object)
		if e.Type == watch.Bookmark {
			if obj.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" || obj.GetResourceVersion() == "" {
				t.Errorf("the bookmark is %v", e.Object)
			}
			break
		}
		delete(want, obj.GetName())
	}
	if len(want) > 0 {
		t.Errorf("the bookmark came before %v", want)
	}
}
