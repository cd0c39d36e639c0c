package everykind

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// The media types that the server answers in.
const (
	asJSON     = "application/json"
	asYAML     = "application/yaml"
	asProtobuf = "application/vnd.kubernetes.protobuf"
	asTable    = "application/json;as=Table;v=v1;g=meta.k8s.io"
	asMetadata = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
)

// path is where the subject's objects are, or one of them, or a subresource of it.
func (s *subject) path(names ...string) string {
	parts := []string{"/apis", s.gvr.Group, s.gvr.Version}
	if s.gvr.Group == "" {
		parts = []string{"/api", s.gvr.Version}
	}
	if s.namespace != "" {
		parts = append(parts, "namespaces", s.namespace)
	}
	return strings.Join(slices.Concat(parts, []string{s.gvr.Resource}, names), "/")
}

// ask is a request whose forms of body and answer matter.
func (s *subject) ask(t *testing.T, verb, path, query, contentType, accept string, body []byte) rest.Result {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	r := s.raw.Verb(verb).AbsPath(path).SetHeader("Accept", accept)
	for name := range values {
		r = r.Param(name, values.Get(name))
	}
	if body != nil {
		r = r.SetHeader("Content-Type", contentType).Body(body)
	}
	return r.Do(t.Context())
}

// read is an answer's body, which has to be a good one.
func read(t *testing.T, result rest.Result) []byte {
	t.Helper()
	raw, err := result.Raw()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// refused checks an error's Status: its code and reason, and a part of its message.
func refused(t *testing.T, err error, code int32, reason metav1.StatusReason, says string) {
	t.Helper()
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		t.Errorf("want %d %s, got %v", code, reason, err)
		return
	}
	got := status.Status()
	if got.Code != code || got.Reason != reason || got.Status != metav1.StatusFailure || !strings.Contains(got.Message, says) {
		t.Errorf("want %d %s, %q\ngot  %d %s, %q", code, reason, says, got.Code, got.Reason, got.Message)
	}
}

// named is the resource that refusals name.
func (s *subject) named() schema.GroupResource {
	gr := s.gvr.GroupResource()
	if s.Group != nil {
		gr.Group = *s.Group
	}
	return gr
}

// refusedOf checks also that the Status names the object.
func (s *subject) refusedOf(t *testing.T, name string, err error, code int32, reason metav1.StatusReason, says string) {
	t.Helper()
	refused(t, err, code, reason, says)
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		return
	}
	kind, group := s.gvr.Resource, s.named().Group
	if code == http.StatusUnprocessableEntity {
		kind, group = s.Kind, s.gvr.Group
	}
	if d := status.Status().Details; d == nil || d.Name != name || d.Group != group || d.Kind != kind {
		t.Errorf("the details of %q are %+v", status.Status().Message, d)
	}
}
