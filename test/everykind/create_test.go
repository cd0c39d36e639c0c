package everykind

import (
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

func createKeepsWhatWasAsked(t *testing.T, s *subject) {
	want := s.next()
	name := want.GetName()
	t.Cleanup(func() { s.remove(t, name) })
	got, err := s.objects().Create(t.Context(), want, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		t.Fatal(err)
	}
	expectHas(t, got, want.Object)
	expectHas(t, s.get(t, name), want.Object)
	if got.GetUID() == "" || got.GetResourceVersion() == "" || got.GetCreationTimestamp().Time.IsZero() || got.GetGeneration() > 1 {
		t.Errorf("the server gave it %v", got.Object["metadata"])
	}
	owns(t, got, manager, metav1.ManagedFieldsOperationUpdate, "")
}

// owns checks that a manager has fields of the object, in its own version. Those of a scale have no time in Kubernetes.
func owns(t *testing.T, obj *unstructured.Unstructured, manager string, how metav1.ManagedFieldsOperationType, subresource string) {
	t.Helper()
	for _, e := range obj.GetManagedFields() {
		if e.Manager == manager && e.Operation == how && e.Subresource == subresource {
			if e.APIVersion != obj.GetAPIVersion() || e.FieldsType != "FieldsV1" || e.Time == nil && subresource != "scale" || e.FieldsV1 == nil {
				t.Errorf("the fields of %s are told as %v", manager, e)
			}
			return
		}
	}
	t.Errorf("%s owns nothing by %s %s: %v", manager, how, subresource, obj.GetManagedFields())
}

func createDryRun(t *testing.T, s *subject) {
	obj := s.next()
	got, err := s.objects().Create(t.Context(), obj, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetUID() == "" || got.GetResourceVersion() != "" {
		t.Errorf("a dry run gave %v", got.Object["metadata"])
	}
	_, err = s.objects().Get(t.Context(), obj.GetName(), metav1.GetOptions{})
	s.refusedOf(t, obj.GetName(), err, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
	_, err = s.objects().Create(t.Context(), obj, metav1.CreateOptions{DryRun: []string{"Some"}})
	refused(t, err, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, `CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]`)
}

func createTaken(t *testing.T, s *subject) {
	first := s.make(t)
	again := s.next()
	again.SetName(first.GetName())
	_, err := s.objects().Create(t.Context(), again, metav1.CreateOptions{})
	s.refusedOf(t, first.GetName(), err, http.StatusConflict, metav1.StatusReasonAlreadyExists,
		s.named().String()+` "`+first.GetName()+`" already exists`)
	again.SetResourceVersion("1")
	_, err = s.objects().Create(t.Context(), again, metav1.CreateOptions{})
	if err == nil {
		t.Error("it was made with a resource version")
	}
}

func createBadName(t *testing.T, s *subject) {
	obj := s.next()
	obj.SetName("a%b")
	_, err := s.objects().Create(t.Context(), obj, metav1.CreateOptions{})
	s.refusedOf(t, "a%b", err, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "metadata.name: Invalid value")
	status, ok := err.(apierrors.APIStatus)
	if !ok || len(status.Status().Details.Causes) == 0 || status.Status().Details.Causes[0].Field != "metadata.name" {
		t.Errorf("the causes of %v", err)
	}
	if s.namespace == "" {
		return
	}
	obj = s.next()
	_, err = s.dynamic.Resource(s.gvr).Namespace("elsewhere").Create(t.Context(), obj, metav1.CreateOptions{})
	refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest,
		"the namespace of the provided object does not match the namespace sent on the request")
}

func createWrongKind(t *testing.T, s *subject) {
	for _, change := range []func(*unstructured.Unstructured){
		func(u *unstructured.Unstructured) { u.SetKind("Nothing") },
		func(u *unstructured.Unstructured) { u.SetAPIVersion("nothing.example.com/v1") },
	} {
		obj := s.next()
		change(obj)
		_, err := s.objects().Create(t.Context(), obj, metav1.CreateOptions{})
		refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest, "")
	}
}

func createGeneratedName(t *testing.T, s *subject) {
	if len(s.Names) > 0 {
		return
	}
	seen := map[string]bool{}
	for range 2 {
		obj := s.next()
		obj.SetName("")
		obj.SetGenerateName("made-")
		got, err := s.objects().Create(t.Context(), obj, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.remove(t, got.GetName()) })
		if name := got.GetName(); !strings.HasPrefix(name, "made-") || len(name) != len("made-")+5 || seen[name] || got.GetGenerateName() != "made-" {
			t.Errorf("the name %q was made of %q", name, got.GetGenerateName())
		}
		seen[got.GetName()] = true
	}
}

func createUnknownFields(t *testing.T, s *subject) {
	obj := s.next()
	obj.Object["nonsense"] = "x"
	body := encode(t, obj)
	post := func(validation string) (warnings []string, err error) {
		result := s.ask(t, "POST", s.path(), "dryRun=All&fieldValidation="+validation, asJSON, asJSON, body)
		for _, w := range result.Warnings() {
			if strings.Contains(w.Text, "nonsense") {
				warnings = append(warnings, w.Text)
			}
		}
		return warnings, result.Error()
	}
	_, err := post("Strict")
	refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest, `strict decoding error: unknown field "nonsense"`)
	for validation, want := range map[string]int{"Warn": 1, "": 1, "Ignore": 0} {
		if warnings, err := post(validation); err != nil || len(warnings) != want {
			t.Errorf("fieldValidation=%s: %v, warnings %q", validation, err, warnings)
		}
	}
	_, err = post("Sometimes")
	refused(t, err, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, `CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Sometimes"`)
}

func createYAML(t *testing.T, s *subject) {
	obj := s.next()
	raw, err := yaml.Marshal(obj.Object)
	if err != nil {
		t.Fatal(err)
	}
	result := s.ask(t, "POST", s.path(), "dryRun=All", asYAML, asJSON, raw)
	if metaOf(t, decodeAny(t, read(t, result))).GetName() != obj.GetName() {
		t.Error("another object was made of the YAML")
	}
}

func createProtobuf(t *testing.T, s *subject) {
	want := decodeAny(t, encode(t, s.next()))
	metaOf(t, want).SetName(s.next().GetName())
	var body strings.Builder
	if err := inProtobuf.Encode(want, &body); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.remove(t, metaOf(t, want).GetName()) })
	got := decodeAny(t, read(t, s.ask(t, "POST", s.path(), "", asProtobuf, asProtobuf, []byte(body.String()))))
	// JSON decoded anew is what the defaults make of an object, too; so both have the same fields.
	dry := s.ask(t, "GET", s.path(metaOf(t, want).GetName()), "", "", asJSON, nil)
	inJSON := decodeAny(t, read(t, dry))
	if metaOf(t, got).GetResourceVersion() == metaOf(t, inJSON).GetResourceVersion() && !equality.Semantic.DeepEqual(got, inJSON) {
		t.Errorf("in protobuf\n%v\nin JSON\n%v", got, inJSON)
	}
	if gvks, _, err := scheme.Scheme.ObjectKinds(got); err != nil || gvks[0] != s.gvk() {
		t.Errorf("got %v, %v", gvks, err)
	}
}

func createUnknownMedia(t *testing.T, s *subject) {
	err := s.ask(t, "POST", s.path(), "", "application/x-nonsense", asJSON, encode(t, s.next())).Error()
	refused(t, err, http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType, "")
}
