package resource_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
)

func names(list *resource.List) string {
	all := make([]string, len(list.Items))
	for i, it := range list.Items {
		all[i] = it.Key.Namespace + "/" + it.Key.Name
	}
	return strings.Join(all, " ")
}

func list(t testing.TB, a *resource.API, tg resource.Target, o metav1.ListOptions) *resource.List {
	t.Helper()
	l, err := a.List(context.Background(), tg, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListSelects(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	resourcetest.Namespace(t, a, "other", nil)
	newRunning(t, a, "a")
	create(t, a, pods(""), newPod("b"))
	other := newPod("a")
	other.Labels = map[string]string{"app": "db"}
	create(t, a, target(kind.Pod, "other", ""), other)
	everywhere := target(kind.Pod, "", "")
	for _, test := range []struct {
		name   string
		tg     resource.Target
		labels string
		fields string
		want   string
	}{
		{"all", everywhere, "", "", "default/a default/b other/a"},
		{"a namespace", pods(""), "", "", "default/a default/b"},
		{"an empty namespace", target(kind.Pod, "none", ""), "", "", ""},
		{"a label", everywhere, "app=db", "", "other/a"},
		{"a label's absence", everywhere, "!app", "", ""},
		{"a set of labels", everywhere, "app in (web, db),app!=db", "", "default/a default/b"},
		{"a name", everywhere, "", "metadata.name=a", "default/a other/a"},
		{"a name in a namespace", pods(""), "", "metadata.name=a", "default/a"},
		{"a namespace by field", everywhere, "", "metadata.namespace=other", "other/a"},
		{"not a name", everywhere, "", "metadata.name!=a", "default/b"},
		{"two names", everywhere, "", "metadata.name=a,metadata.name=b", ""},
		{"a node", everywhere, "", "spec.nodeName=node-1", "default/a"},
		{"no node", everywhere, "", "spec.nodeName=", "default/b other/a"},
		{"not a node", pods(""), "", "spec.nodeName!=node-1", "default/b"},
		{"a node and a phase", everywhere, "app=web", "spec.nodeName=node-1,status.phase=Pending", "default/a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := names(list(t, a, test.tg, metav1.ListOptions{LabelSelector: test.labels, FieldSelector: test.fields})); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for name, o := range map[string]metav1.ListOptions{
		"an unknown field":       {FieldSelector: "spec.color=red"},
		"no field selector":      {FieldSelector: "a~b"},
		"no label selector":      {LabelSelector: "a in"},
		"a negative limit":       {Limit: -1},
		"a bad revision":         {ResourceVersion: "x"},
		"a bad continue":         {Continue: "x"},
		"a revision when paging": {ResourceVersion: "5", Continue: list(t, a, pods(""), metav1.ListOptions{Limit: 1}).Continue},
		"another namespace's":    {Continue: list(t, a, target(kind.Pod, "", ""), metav1.ListOptions{Limit: 2, FieldSelector: "metadata.name=a"}).Continue + "x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.List(ctx, pods(""), o)
			reason(t, err, metav1.StatusReasonBadRequest)
		})
	}
	for name, o := range map[string]metav1.ListOptions{
		"a match without revision": {ResourceVersionMatch: metav1.ResourceVersionMatchExact},
		"an unknown match":         {ResourceVersion: "1", ResourceVersionMatch: "Roughly"},
		"exactly anything":         {ResourceVersion: "0", ResourceVersionMatch: metav1.ResourceVersionMatchExact},
		"initial events":           {SendInitialEvents: new(true)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.List(ctx, pods(""), o)
			reason(t, err, metav1.StatusReasonInvalid)
		})
	}
}

func TestListByRevision(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	first := create(t, a, configMaps(""), newConfigMap("a", nil)).Revision
	second := create(t, a, configMaps(""), newConfigMap("b", nil)).Revision
	at := func(revision int64, match metav1.ResourceVersionMatch, limit int64) metav1.ListOptions {
		return metav1.ListOptions{ResourceVersion: fmt.Sprint(revision), ResourceVersionMatch: match, Limit: limit}
	}
	for name, test := range map[string]struct {
		o    metav1.ListOptions
		want int
	}{
		"now":                {metav1.ListOptions{}, 2},
		"the cache":          {at(0, "", 0), 2},
		"not older":          {at(first, metav1.ResourceVersionMatchNotOlderThan, 0), 2},
		"not older, unsaid":  {at(first, "", 0), 2},
		"exactly then":       {at(first, metav1.ResourceVersionMatchExact, 0), 1},
		"exactly now":        {at(second, metav1.ResourceVersionMatchExact, 0), 2},
		"pages of the past":  {at(first, "", 10), 1},
		"pages of the cache": {at(0, "", 10), 2},
	} {
		t.Run(name, func(t *testing.T) {
			if l := list(t, a, configMaps(""), test.o); len(l.Items) != test.want {
				t.Errorf("got %q at %d", names(l), l.Revision)
			}
		})
	}
	t.Run("the future", func(t *testing.T) {
		_, err := a.List(ctx, configMaps(""), at(second+1000, metav1.ResourceVersionMatchExact, 0))
		if !apierrors.IsTimeout(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
			t.Errorf("got %v", err)
		}
	})
}

// TestPages reads lists page by page and whole, while the objects change.
func TestPages(t *testing.T) {
	a := newAPI(t)
	create(t, a, target(kind.Namespace, "", ""), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "b"}})
	for i := range 40 {
		cm := newConfigMap(fmt.Sprintf("cm-%02d", i), nil)
		cm.Labels = map[string]string{"third": fmt.Sprint(i % 3)}
		create(t, a, target(kind.ConfigMap, []string{"default", "b"}[i%2], ""), cm)
	}
	rapid.Check(t, func(r *rapid.T) {
		tg := target(kind.ConfigMap, rapid.SampledFrom([]string{"", "default", "b"}).Draw(r, "namespace"), "")
		o := metav1.ListOptions{LabelSelector: rapid.SampledFrom([]string{"", "third=1", "third"}).Draw(r, "labels")}
		whole := list(t, a, tg, o)
		o.Limit = rapid.Int64Range(1, 50).Draw(r, "limit")
		var got []string
		for {
			page := list(t, a, tg, o)
			got = append(got, strings.Fields(names(page))...)
			if page.Revision != whole.Revision && o.Continue == "" {
				whole = list(t, a, tg, metav1.ListOptions{LabelSelector: o.LabelSelector, ResourceVersion: fmt.Sprint(page.Revision), ResourceVersionMatch: metav1.ResourceVersionMatchExact})
			}
			if page.Remaining != nil && int(*page.Remaining) != len(whole.Items)-len(got) {
				r.Fatalf("%d remain after %d of %d", *page.Remaining, len(got), len(whole.Items))
			}
			if o.Continue = page.Continue; o.Continue == "" {
				break
			}
			update(t, a, target(kind.ConfigMap, "default", "cm-00"), newConfigMap("cm-00", map[string]string{"n": fmt.Sprint(len(got), r)}))
		}
		if strings.Join(got, " ") != names(whole) {
			r.Fatalf("the pages give %q, the whole list %q", got, names(whole))
		}
	})
}
