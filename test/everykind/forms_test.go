package everykind

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// codecs decode and encode the typed objects of client-go as they are.
var codecs = scheme.Codecs.WithoutConversion()

var inProtobuf = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

// decodeAny reads an object in JSON, YAML or protobuf as its Go type.
func decodeAny(t *testing.T, raw []byte) runtime.Object {
	t.Helper()
	obj, err := runtime.Decode(scheme.Codecs.UniversalDeserializer(), raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return obj
}

// metaOf is an object's metadata.
func metaOf(t *testing.T, obj runtime.Object) metav1.Object {
	t.Helper()
	m, ok := obj.(metav1.Object)
	if !ok {
		t.Fatalf("%T has no metadata", obj)
	}
	return m
}
