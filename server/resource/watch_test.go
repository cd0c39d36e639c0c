package resource_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// next reads events until there are n of them, as "TYPE name".
func next(t testing.TB, w *resource.Watch, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var all []string
	for len(all) < n {
		events, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("after %q: %v", all, err)
		}
		for _, e := range events {
			all = append(all, fmt.Sprintf("%s %s", e.Type, e.Item.Key.Name))
			if e.Type != watch.Bookmark && !strings.Contains(string(e.Item.JSON), fmt.Sprintf(`"resourceVersion":"%d"`, e.Item.Revision)) {
				t.Errorf("%s at revision %d: %s", e.Type, e.Item.Revision, e.Item.JSON)
			}
		}
	}
	return strings.Join(all, ", ")
}

func startWatch(t testing.TB, a *resource.API, tg resource.Target, o metav1.ListOptions) *resource.Watch {
	t.Helper()
	w, err := a.Watch(context.Background(), tg, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWatchStarts(t *testing.T) {
	a := newAPI(t)
	first := create(t, a, configMaps(""), newConfigMap("a", nil)).Revision
	second := create(t, a, configMaps(""), newConfigMap("b", nil)).Revision
	for _, test := range []struct {
		name string
		o    metav1.ListOptions
		want string // of the first events, with c made after the watch began
	}{
		{"from the state now", metav1.ListOptions{}, "ADDED a, ADDED b, ADDED c"},
		{"from the cache", metav1.ListOptions{ResourceVersion: "0"}, "ADDED a, ADDED b, ADDED c"},
		{"from a revision", metav1.ListOptions{ResourceVersion: fmt.Sprint(first)}, "ADDED b, ADDED c"},
		{"from the newest revision", metav1.ListOptions{ResourceVersion: fmt.Sprint(second)}, "ADDED c"},
		{"with initial events", metav1.ListOptions{
			SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		}, "ADDED a, ADDED b, BOOKMARK , ADDED c"},
		{"with initial events not older than a revision", metav1.ListOptions{
			SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, ResourceVersion: fmt.Sprint(first),
		}, "ADDED a, ADDED b, BOOKMARK , ADDED c"},
		{"without initial events", metav1.ListOptions{
			SendInitialEvents: new(false), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		}, "ADDED c"},
		{"of one name", metav1.ListOptions{FieldSelector: "metadata.name=c"}, "ADDED c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := startWatch(t, a, configMaps(""), test.o)
			create(t, a, configMaps(""), newConfigMap("c", nil))
			defer remove(t, a, configMaps("c"), metav1.DeleteOptions{})
			want := test.want
			if strings.HasPrefix(test.name, "from a") || strings.HasPrefix(test.name, "from the newest") {
				want = strings.Split(test.want, ", ")[0] // other tests' changes follow
			}
			if got := next(t, w, len(strings.Split(want, ", "))); !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestWatchSelects(t *testing.T) {
	a := newAPI(t)
	byLabel := startWatch(t, a, pods(""), metav1.ListOptions{LabelSelector: "app=web"})
	byNode := startWatch(t, a, target(kind.Pod, "", ""), metav1.ListOptions{FieldSelector: "spec.nodeName=node-1"})
	create(t, a, pods(""), newPod("p"))
	it := bind(t, a, "p", "node-1")
	for _, app := range []string{"db", "web"} {
		pod := object[*corev1.Pod](t, it).DeepCopy()
		pod.Labels["app"] = app
		it = update(t, a, pods("p"), pod)
	}
	remove(t, a, pods("p"), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	if got, want := next(t, byLabel, 5), "ADDED p, MODIFIED p, DELETED p, ADDED p, DELETED p"; got != want {
		t.Errorf("by label: got %q, want %q", got, want)
	}
	if got, want := next(t, byNode, 4), "ADDED p, MODIFIED p, MODIFIED p, DELETED p"; got != want {
		t.Errorf("by node: got %q, want %q", got, want)
	}
}

func TestWatchLeavesWithTheOldState(t *testing.T) {
	a := newAPI(t)
	w := startWatch(t, a, pods(""), metav1.ListOptions{LabelSelector: "app=web"})
	pod := object[*corev1.Pod](t, create(t, a, pods(""), newPod("p"))).DeepCopy()
	next(t, w, 1)
	pod.Labels["app"] = "db"
	moved := update(t, a, pods("p"), pod)
	events, err := w.Next(context.Background())
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	left := object[*corev1.Pod](t, events[0].Item)
	if events[0].Type != watch.Deleted || left.Labels["app"] != "web" || left.ResourceVersion != fmt.Sprint(moved.Revision) {
		t.Errorf("got %s of %v at %s", events[0].Type, left.Labels, left.ResourceVersion)
	}
}

func TestInitialEventsEnd(t *testing.T) {
	a := newAPI(t)
	w := startWatch(t, a, pods(""), metav1.ListOptions{
		SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	events, err := w.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	mark := object[*corev1.Pod](t, events[0].Item)
	if events[0].Type != watch.Bookmark || mark.Annotations[metav1.InitialEventsAnnotationKey] != "true" || mark.ResourceVersion == "" || mark.Kind != "Pod" {
		t.Errorf("got %s %s", events[0].Type, events[0].Item.JSON)
	}
}

func TestWatchRefuses(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, configMaps(""), newConfigMap("a", nil))
	for name, test := range map[string]struct {
		o      metav1.ListOptions
		reason metav1.StatusReason
	}{
		"initial events of no revision":  {metav1.ListOptions{SendInitialEvents: new(true)}, metav1.StatusReasonInvalid},
		"a match without initial events": {metav1.ListOptions{ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}, metav1.StatusReasonInvalid},
		"a bad revision":                 {metav1.ListOptions{ResourceVersion: "x"}, metav1.StatusReasonBadRequest},
		"a bad selector":                 {metav1.ListOptions{FieldSelector: "color=red"}, metav1.StatusReasonBadRequest},
		"the future":                     {metav1.ListOptions{ResourceVersion: "1000000"}, metav1.StatusReasonTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Watch(ctx, configMaps(""), test.o)
			reason(t, err, test.reason)
		})
	}
	t.Run("a past that is gone", func(t *testing.T) {
		churn(t, a)
		_, err := a.Watch(ctx, configMaps(""), metav1.ListOptions{ResourceVersion: "1"})
		reason(t, err, metav1.StatusReasonExpired)
	})
	t.Run("its end", func(t *testing.T) {
		w := startWatch(t, a, configMaps("none"), metav1.ListOptions{AllowWatchBookmarks: true})
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := w.Next(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestTake: what Next would wait for, Take gives when it is there; and Quiet ends for a bookmark.
func TestTake(t *testing.T) {
	a := newAPI(t)
	first := create(t, a, configMaps(""), newConfigMap("a", nil)).Revision
	all := startWatch(t, a, configMaps(""), metav1.ListOptions{ResourceVersion: fmt.Sprint(first)})
	one := startWatch(t, a, configMaps(""), metav1.ListOptions{ResourceVersion: fmt.Sprint(first), FieldSelector: "metadata.name=b", AllowWatchBookmarks: true})
	kept := make([]store.Event, 1, 8)
	for _, name := range []string{"", "b", "c"} {
		if name != "" {
			create(t, a, configMaps(""), newConfigMap(name, nil))
		}
		got, err := all.Take(kept)
		if err != nil || len(got) != 1+len(name) || name != "" && got[1].Item.Key.Name != name {
			t.Errorf("after %q a watch of all took %v, %v", name, got[1:], err)
		}
		got, err = one.Take(kept)
		if want := name == "b"; err != nil || (len(got) == 2) != want {
			t.Errorf("after %q a watch of one took %v, %v", name, got[1:], err)
		}
	}
	if ctx := all.Quiet(t.Context()); ctx != t.Context() {
		t.Error("a watch without bookmarks has another context")
	}
	if due, ok := one.Quiet(t.Context()).Deadline(); !ok || time.Until(due) > time.Minute {
		t.Errorf("a bookmark is due at %v", due)
	}
	churn(t, a)
	if _, err := all.Take(nil); !apierrors.IsResourceExpired(err) {
		t.Errorf("left behind, it took with %v", err)
	}
}
