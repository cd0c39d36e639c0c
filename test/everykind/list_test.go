package everykind

import (
	"net/http"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// list is the subject's objects, which has to succeed.
func (s *subject) list(t *testing.T, options metav1.ListOptions) *unstructured.UnstructuredList {
	t.Helper()
	got, err := s.objects().List(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if got.GetKind() != s.Kind+"List" || got.GetAPIVersion() != s.gvr.GroupVersion().String() || got.GetResourceVersion() == "" {
		t.Errorf("the list is a %s %s at %q", got.GetAPIVersion(), got.GetKind(), got.GetResourceVersion())
	}
	return got
}

func names(list *unstructured.UnstructuredList) []string {
	var all []string
	for _, item := range list.Items {
		all = append(all, item.GetName())
	}
	slices.Sort(all)
	return all
}

func listSelected(t *testing.T, s *subject) {
	one, other := s.make(t, "list", "one"), s.make(t, "list", "other")
	for _, tt := range []struct {
		labels, fields string
		want           []string
	}{
		{"list in (one, other)", "", []string{one.GetName(), other.GetName()}},
		{"list=one", "", []string{one.GetName()}},
		{"list,list!=one", "", []string{other.GetName()}},
		{"list=none", "", nil},
		{"list", "metadata.name=" + other.GetName(), []string{other.GetName()}},
		{"list", "metadata.name!=" + other.GetName(), []string{one.GetName()}},
		{"list", "metadata.namespace=elsewhere", nil},
	} {
		want := slices.Sorted(slices.Values(tt.want))
		got := s.list(t, metav1.ListOptions{LabelSelector: tt.labels, FieldSelector: tt.fields})
		if !slices.Equal(names(got), want) {
			t.Errorf("labels %q, fields %q: %v, not %v", tt.labels, tt.fields, names(got), want)
		}
		all, err := s.dynamic.Resource(s.gvr).List(t.Context(), metav1.ListOptions{LabelSelector: tt.labels, FieldSelector: tt.fields})
		if err != nil || !slices.Equal(names(all), want) {
			t.Errorf("over all namespaces, labels %q, fields %q: %v, not %v; %v", tt.labels, tt.fields, names(all), want, err)
		}
	}
}

func listChunks(t *testing.T, s *subject) {
	var want []string
	for range 3 {
		want = append(want, s.make(t, "chunk", "yes").GetName())
	}
	slices.Sort(want)
	first := s.list(t, metav1.ListOptions{Limit: 1, LabelSelector: "chunk"})
	if len(first.Items) != 1 || first.GetContinue() == "" {
		t.Fatalf("the first chunk has %v, continue %q", names(first), first.GetContinue())
	}
	// What happens in between is not seen: all chunks are of one moment.
	s.patch(t, want[2], labelled("late", "yes"))
	got := names(first)
	for token := first.GetContinue(); token != ""; {
		next := s.list(t, metav1.ListOptions{Limit: 1, LabelSelector: "chunk", Continue: token})
		if next.GetResourceVersion() != first.GetResourceVersion() {
			t.Errorf("a chunk is of %s, the first of %s", next.GetResourceVersion(), first.GetResourceVersion())
		}
		for _, item := range next.Items {
			if item.GetLabels()["late"] != "" {
				t.Error("a later chunk shows what was written after the first")
			}
		}
		got, token = append(got, names(next)...), next.GetContinue()
	}
	if !slices.Equal(got, want) {
		t.Errorf("the chunks have %v, not %v", got, want)
	}
	if s.namespace != "" {
		rest := s.list(t, metav1.ListOptions{Limit: 1})
		if left := rest.GetRemainingItemCount(); left == nil || *left < 2 {
			t.Errorf("%v items are said to remain after the first of three", left)
		}
	}
	_, err := s.objects().List(t.Context(), metav1.ListOptions{Limit: 1, Continue: "nonsense"})
	refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest, "continue key is not valid")
}

func listVersions(t *testing.T, s *subject) {
	made := s.make(t, "versions", "yes")
	at := s.list(t, metav1.ListOptions{LabelSelector: "versions"}).GetResourceVersion()
	later := s.make(t, "versions", "yes")
	both := slices.Sorted(slices.Values([]string{made.GetName(), later.GetName()}))
	for _, tt := range []struct {
		version string
		match   metav1.ResourceVersionMatch
		want    []string
	}{
		{"0", "", nil},
		{"0", metav1.ResourceVersionMatchNotOlderThan, nil},
		{later.GetResourceVersion(), "", both},
		{later.GetResourceVersion(), metav1.ResourceVersionMatchNotOlderThan, both},
		{at, metav1.ResourceVersionMatchExact, []string{made.GetName()}},
	} {
		got := s.list(t, metav1.ListOptions{LabelSelector: "versions", ResourceVersion: tt.version, ResourceVersionMatch: tt.match})
		if tt.want != nil && !slices.Equal(names(got), tt.want) {
			t.Errorf("at %s %s there are %v, not %v", tt.version, tt.match, names(got), tt.want)
		}
	}
	_, err := s.objects().List(t.Context(), metav1.ListOptions{ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	refused(t, err, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "resourceVersionMatch: Forbidden")
}

func listForms(t *testing.T, s *subject) {
	name := s.make(t, "forms", "yes").GetName()
	const selected = "labelSelector=forms"
	list := decodeAny(t, read(t, s.ask(t, "GET", s.path(), selected, "", asProtobuf, nil)))
	items, err := meta.ExtractList(list)
	if err != nil || len(items) != 1 || metaOf(t, items[0]).GetName() != name {
		t.Errorf("in protobuf there are %v, %v", items, err)
	}
	rows := table(t, read(t, s.ask(t, "GET", s.path(), selected, "", asTable, nil)))
	if len(rows.Rows) != 1 || rows.ResourceVersion == "" || rowMeta(t, rows.Rows[0]).Name != name {
		t.Errorf("the table is %v", rows)
	}
	bare, err := s.metadata.Resource(s.gvr).Namespace(s.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "forms"})
	if err != nil || len(bare.Items) != 1 || bare.Items[0].Name != name || bare.ResourceVersion == "" {
		t.Errorf("the metadata is %v, %v", bare, err)
	}
}

func listBadSelectors(t *testing.T, s *subject) {
	for _, options := range []metav1.ListOptions{
		{LabelSelector: "a in"}, {FieldSelector: "spec.nothing=1"}, {FieldSelector: "metadata.name"}, {LabelSelector: "-=b"},
	} {
		_, err := s.objects().List(t.Context(), options)
		refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest, "")
	}
}
