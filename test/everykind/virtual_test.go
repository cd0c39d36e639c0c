package everykind

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// answers is the whole of a kind that is answered and not stored.
func answers(t *testing.T, s *subject) {
	if s.Answer == nil {
		t.Fatal("a kind that is only answered needs an answer in its example")
	}
	for _, accept := range []string{asJSON, asProtobuf, asYAML} {
		var code int
		raw := read(t, s.ask(t, "POST", s.path(), "", asJSON, accept, encode(t, s.Object)).StatusCode(&code))
		if code != http.StatusCreated {
			t.Errorf("in %s it answers %d", accept, code)
		}
		obj := decodeAny(t, raw)
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		if err != nil {
			t.Fatal(err)
		}
		if missing := lacks(fields, s.Answer, ""); len(missing) > 0 || obj.GetObjectKind().GroupVersionKind() != s.gvk() {
			t.Errorf("in %s it answers a %s\n%v", accept, obj.GetObjectKind().GroupVersionKind(), missing)
		}
	}
	err := s.ask(t, "GET", s.path(), "", "", asJSON, nil).Error()
	refused(t, err, http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "")
	err = s.ask(t, "POST", s.path(), "", "application/x-nonsense", asJSON, encode(t, s.Object)).Error()
	refused(t, err, http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType, "")
}
