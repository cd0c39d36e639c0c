package everykind

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metricsscheme "k8s.io/metrics/pkg/client/clientset/versioned/scheme"
)

// measures is the whole of a kind that is measured and not stored, while nothing has been measured.
func measures(t *testing.T, s *subject) {
	if got := s.list(t, metav1.ListOptions{}); len(got.Items) != 0 {
		t.Errorf("there are %d", len(got.Items))
	}
	if got := table(t, read(t, s.ask(t, "GET", s.path(), "", "", asTable, nil))); len(got.Rows) != 0 || len(got.ColumnDefinitions) != 4 {
		t.Errorf("the table has %d rows of %d columns", len(got.Rows), len(got.ColumnDefinitions))
	}
	list, err := runtime.Decode(metricsscheme.Codecs.UniversalDeserializer(), read(t, s.ask(t, "GET", s.path(), "", "", asProtobuf, nil)))
	if err != nil || list.GetObjectKind().GroupVersionKind() != s.gvr.GroupVersion().WithKind(s.Kind+"List") {
		t.Errorf("in protobuf it lists %v; %v", list, err)
	}
	err = s.ask(t, "GET", s.path("nobody"), "", "", asJSON, nil).Error()
	refused(t, err, http.StatusNotFound, metav1.StatusReasonNotFound, "")
	err = s.ask(t, "GET", s.path(), "fieldSelector=spec.nodeName=here", "", asJSON, nil).Error()
	refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest, "")
	for _, verb := range []string{"POST", "DELETE"} {
		err := s.ask(t, verb, s.path(), "", asJSON, asJSON, []byte("{}")).Error()
		refused(t, err, http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "")
	}
	err = s.ask(t, "GET", s.path(), "watch=1", "", asJSON, nil).Error()
	refused(t, err, http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "")
}
