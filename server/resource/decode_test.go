package resource_test

import (
	"bytes"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"leme/server/kind"
	"leme/server/resource"
)

func encodeProtobuf(t testing.TB, pod *corev1.Pod) []byte {
	t.Helper()
	pod.APIVersion, pod.Kind = "v1", "Pod"
	var b bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(pod, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(k *kind.Kind, contentType string, body []byte, validation string) (runtime.Object, []string, error) {
	return resource.Decode(k.GroupVersionKind, k.New(), contentType, body, validation)
}

func TestDecode(t *testing.T) {
	const yaml, proto = "application/yaml", "application/vnd.kubernetes.protobuf"
	for _, test := range []struct {
		name, contentType, body string
	}{
		{"JSON", "application/json", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}`},
		{"JSON by default", "", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}`},
		{"JSON with a charset", "application/json; charset=utf-8", `{"metadata":{"name":"p"}}`},
		{"no kind", "", `{"metadata":{"name":"p"}}`},
		{"YAML", yaml, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n"},
		{"protobuf", proto, string(encodeProtobuf(t, newPod("p")))},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, validation := range []string{"", "Ignore", "Warn", "Strict"} {
				obj, warnings, err := decode(kind.Pod, test.contentType, []byte(test.body), validation)
				if err != nil || len(warnings) > 0 {
					t.Fatalf("%s: got %q, %v", validation, warnings, err)
				}
				if pod := obj.(*corev1.Pod); pod.Name != "p" || pod.Kind != "Pod" || pod.APIVersion != "v1" {
					t.Errorf("%s: got %+v", validation, pod)
				}
			}
		})
	}
}

func TestDecodeFieldValidation(t *testing.T) {
	const body = `{"metadata":{"name":"p","name":"q"},"spec":{"nothing":1,"NodeName":"n"}}`
	_, warnings, err := decode(kind.Pod, "", []byte(body), "Warn")
	got := strings.Join(warnings, "; ")
	for _, want := range []string{`duplicate field "metadata.name"`, `unknown field "spec.nothing"`, `unknown field "spec.NodeName"`} {
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	obj, warnings, err := decode(kind.Pod, "", []byte(body), "Ignore")
	if err != nil || len(warnings) > 0 || obj.(*corev1.Pod).Spec.NodeName != "" {
		t.Errorf("got %v, %q, %v", obj, warnings, err)
	}
	_, _, err = decode(kind.Pod, "", []byte(body), "Strict")
	if want := `Pod in version "v1" cannot be handled as a Pod: strict decoding error: `; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	_, _, err = decode(kind.Pod, "application/yaml", []byte("metadata: {name: a, name: b}"), "Strict")
	if err == nil || !strings.Contains(err.Error(), `"name" already set`) {
		t.Errorf("got %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, test := range []struct {
		name, contentType, body string
		code                    int32
		says                    string
	}{
		{"another version", "", `{"apiVersion":"apps/v1","kind":"Pod"}`, 400, "the API version in the data (apps/v1) does not match the expected API version (v1)"},
		{"another kind", "", `{"apiVersion":"v1","kind":"Node"}`, 400, "the kind in the data (Node) does not match the expected kind (Pod)"},
		{"another kind in protobuf", "application/vnd.kubernetes.protobuf", string(encodeProtobuf(t, newPod("p"))), 400, "expected kind (ConfigMap)"},
		{"nothing", "", ``, 400, "unexpected end of JSON input"},
		{"no object", "", `[]`, 400, "cannot unmarshal array"},
		{"more than an object", "", `{}{}`, 400, "invalid character"},
		{"a wrong type", "", `{"metadata":{"name":7}}`, 400, "cannot unmarshal number"},
		{"no protobuf", "application/vnd.kubernetes.protobuf", `{}`, 400, "cannot be handled"},
		{"an unknown type", "text/plain", `{}`, 415, "accepted media types include"},
		{"a malformed type", ";", `{}`, 400, "malformed"},
		{"too deep", "", strings.Repeat("[", 20_000), 400, "exceeded max depth"},
		{"too large", "", `"` + strings.Repeat("x", resource.MaxBody) + `"`, 413, "limit is"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := kind.Pod
			if strings.Contains(test.says, "ConfigMap") {
				k = kind.ConfigMap
			}
			_, _, err := decode(k, test.contentType, []byte(test.body), "")
			status, ok := err.(apierrors.APIStatus)
			if !ok || status.Status().Code != test.code || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want a %d with %q", err, test.code, test.says)
			}
		})
	}
}
