package resource

import (
	"fmt"
	"mime"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// MaxBody is how large a request's body may be, in bytes, as in Kubernetes. Nesting is bounded by the decoders, at
// 10,000 levels.
const MaxBody = 3 * 1024 * 1024

// Decode reads a request's body into an object, and gives the warnings about it. The content type is JSON (or none),
// YAML or Kubernetes' protobuf; fieldValidation is Strict, Warn (or none) or Ignore, and decides whether unknown and
// duplicate fields are errors, warnings or nothing. apiVersion and kind must be gvk's, or absent.
func Decode(gvk schema.GroupVersionKind, into runtime.Object, contentType string, body []byte, fieldValidation string) (runtime.Object, []string, error) {
	if len(body) > MaxBody {
		return nil, nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", MaxBody))
	}
	unknown, err := decodeBody(gvk, into, contentType, body, fieldValidation)
	if err != nil {
		return nil, nil, err
	}
	if err := checkType(gvk, into); err != nil {
		return nil, nil, err
	}
	into.GetObjectKind().SetGroupVersionKind(gvk)
	warnings, err := judge(unknown, fieldValidation)
	if err != nil {
		return nil, nil, cannotHandle(gvk, gvk.Kind, err)
	}
	return into, warnings, nil
}

// BodyOf is an empty object of the type that a create or update of the target takes, and its kind.
func BodyOf(t Target) (runtime.Object, schema.GroupVersionKind) {
	if s, ok := t.Kind.Subresource(t.Subresource); ok && s.New != nil {
		return s.New(), s.GroupVersionKind
	}
	return t.Kind.New(), t.Kind.GroupVersionKind
}

// decodeBody returns what is wrong with the fields, all errors that Ignore would not see.
func decodeBody(gvk schema.GroupVersionKind, into runtime.Object, contentType string, body []byte, fieldValidation string) ([]error, error) {
	mediaType := contentType
	if contentType != "" {
		parsed, _, err := mime.ParseMediaType(contentType)
		if err != nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("the content type %q is malformed: %v", contentType, err))
		}
		mediaType = parsed
	}
	var unknown []error
	var err error
	switch mediaType {
	case "", runtime.ContentTypeJSON:
		unknown, err = decodeJSON(body, into, fieldValidation)
	case runtime.ContentTypeYAML:
		unknown, err = decodeYAML(body, into, fieldValidation)
	case runtime.ContentTypeProtobuf:
		return nil, decodeProtobuf(gvk, into, body)
	default:
		return nil, unsupportedMediaType(runtime.ContentTypeJSON, runtime.ContentTypeYAML, runtime.ContentTypeProtobuf)
	}
	if err != nil {
		return nil, cannotHandle(gvk, gvk.Kind, err)
	}
	return unknown, nil
}

func unsupportedMediaType(accepted ...string) error {
	err := apierrors.NewGenericServerResponse(415, "", schema.GroupResource{}, "", "", 0, false)
	err.ErrStatus.Reason = metav1.StatusReasonUnsupportedMediaType
	err.ErrStatus.Message = "the body of the request was in an unknown format - accepted media types include: " + strings.Join(accepted, ", ")
	return err
}

// decodeJSON reads field names as they are written: "Spec" is not "spec".
func decodeJSON(body []byte, into any, fieldValidation string) (unknown []error, err error) {
	if fieldValidation == metav1.FieldValidationIgnore {
		return nil, json.UnmarshalCaseSensitivePreserveInts(body, into)
	}
	return json.UnmarshalStrict(body, into)
}

func decodeYAML(body []byte, into any, fieldValidation string) (unknown []error, err error) {
	raw, err := yaml.YAMLToJSON(body)
	if err != nil {
		return nil, err
	}
	unknown, err = decodeJSON(raw, into, fieldValidation)
	if err != nil || fieldValidation == metav1.FieldValidationIgnore {
		return nil, err
	}
	if _, duplicate := yaml.YAMLToJSONStrict(body); duplicate != nil {
		unknown = append(unknown, duplicate)
	}
	return unknown, nil
}

func decodeProtobuf(gvk schema.GroupVersionKind, into runtime.Object, body []byte) error {
	_, actual, err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Decode(body, &gvk, into)
	switch {
	case actual != nil && *actual != gvk:
		return wrongType(gvk, *actual)
	case err != nil:
		return cannotHandle(gvk, gvk.Kind, err)
	}
	return nil
}

// checkType compares the apiVersion and kind that an object says it has with what it has to be.
func checkType(gvk schema.GroupVersionKind, obj runtime.Object) error {
	actual := obj.GetObjectKind().GroupVersionKind()
	if actual.Kind == "" {
		actual.Kind = gvk.Kind
	}
	if actual.Version == "" {
		actual.Group, actual.Version = gvk.Group, gvk.Version
	}
	if actual == gvk {
		return nil
	}
	return wrongType(gvk, actual)
}

func wrongType(gvk, actual schema.GroupVersionKind) error {
	if actual.GroupVersion() != gvk.GroupVersion() {
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)",
			actual.GroupVersion(), gvk.GroupVersion()))
	}
	return cannotHandle(actual, gvk.Kind, fmt.Errorf("the kind in the data (%s) does not match the expected kind (%s)", actual.Kind, gvk.Kind))
}

func cannotHandle(actual schema.GroupVersionKind, wanted string, err error) error {
	return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", actual.Kind, actual.Version, wanted, err))
}

// judge turns unknown and duplicate fields into warnings or one error.
func judge(unknown []error, fieldValidation string) (warnings []string, err error) {
	if len(unknown) == 0 || fieldValidation == metav1.FieldValidationIgnore {
		return nil, nil
	}
	if fieldValidation == metav1.FieldValidationStrict {
		return nil, runtime.NewStrictDecodingError(unknown)
	}
	for _, err := range unknown {
		warnings = append(warnings, err.Error())
	}
	return warnings, nil
}
