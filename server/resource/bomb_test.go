package resource_test

import (
	"encoding/binary"
	goruntime "runtime"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/kind"
	"leme/server/resource"
)

// allocated is how many bytes fn allocates, whether they are collected meanwhile or not.
func allocated(fn func()) uint64 {
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	fn()
	goruntime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// repeated is a body of the largest size there is, made of one unit.
func repeated(head, unit, tail string) []byte {
	n := (resource.MaxBody - len(head) - len(tail)) / len(unit)
	return []byte(head + strings.Repeat(unit, n-1) + strings.TrimSuffix(unit, ",") + tail)
}

// inProtobuf is a pod of n empty containers, two bytes each.
func inProtobuf(n int) []byte {
	containers := []byte(strings.Repeat("\x12\x00", n))
	spec := append(binary.AppendUvarint([]byte{0x12}, uint64(len(containers))), containers...)
	body := binary.AppendUvarint([]byte("k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod\x12"), uint64(len(spec)))
	return append(body, spec...)
}

// aliases is YAML that would be ten billion times as large.
func aliases() string {
	var b strings.Builder
	b.WriteString("a: &a [x,x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c < 'k'; c++ {
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]\n")
	}
	return b.String()
}

// most is what one body may allocate, whatever is in it.
const most = 300 << 20

func TestBodiesThatExplodeAreRefused(t *testing.T) {
	const json, yaml, protobuf = runtime.ContentTypeJSON, runtime.ContentTypeYAML, runtime.ContentTypeProtobuf
	for _, tt := range []struct {
		name, contentType string
		body              []byte
		refused           bool
	}{
		{"containers", json, repeated(`{"spec":{"containers":[`, `{},`, `]}}`), true},
		{"numbers for containers", json, repeated(`{"spec":{"containers":[`, `0,`, `]}}`), true},
		{"unknown fields", json, repeated(`{"spec":{"containers":[`, `{"x":0},`, `]}}`), true},
		{"members", json, repeated(`{"metadata":{"labels":{`, `"a":"",`, `}}}`), true},
		{"as many as may be", json, []byte(`{"spec":{"containers":[` + strings.Repeat(`{},`, 49_000) + `{}]}}`), false},
		{"nested", json, []byte(strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000)), false},
		{"nested too deep", json, []byte(strings.Repeat(`{"a":`, 11_000) + "1" + strings.Repeat("}", 11_000)), true},
		{"lists in lists", json, []byte(strings.Repeat("[", resource.MaxBody)), true},
		{"commas in a string", json, repeated(`{"metadata":{"annotations":{"a":"`, ",[{", `"}}}`), false},
		{"yaml", yaml, repeated("spec: {containers: [", "{},", "]}"), true},
		{"yaml lines", yaml, repeated("x:\n", "- a\n", ""), true},
		{"yaml nested", yaml, []byte("x: " + strings.Repeat("[", 100_000)), true},
		{"yaml aliases", yaml, []byte(aliases()), true},
		{"yaml as large as may be", yaml, []byte("x: [" + strings.Repeat("a,", 245_000) + "a]"), false},
		{"protobuf", protobuf, inProtobuf(1_000_000), true},
		{"protobuf as large as may be", protobuf, inProtobuf(49_000), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			used := allocated(func() {
				if _, err = resource.Weigh(tt.contentType, tt.body); err == nil {
					_, _, err = resource.Decode(kind.Pod.GroupVersionKind, kind.Pod.New(), tt.contentType, tt.body, "Warn")
				}
			})
			if used > most {
				t.Errorf("%d MiB are allocated", used>>20)
			}
			if refused := err != nil; refused != tt.refused {
				t.Errorf("the error is %v", err)
			}
			if status, ok := err.(apierrors.APIStatus); err != nil && (!ok || status.Status().Code >= 500) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestPatchesThatExplodeAreRefused: a patch takes no more memory than a body, and no longer.
func TestPatchesThatExplodeAreRefused(t *testing.T) {
	a := newAPI(t)
	must(a.Create(t.Context(), pods(""), newPod("p"), metav1.CreateOptions{}))(t)
	copies := `[{"op":"add","path":"/metadata/annotations","value":{"a":"` + strings.Repeat("x", 100_000) + `"}}` +
		strings.Repeat(`,{"op":"copy","from":"/metadata/annotations","path":"/metadata/annotations/b"}`, 9_990) + `]`
	many := strings.Repeat(`{},`, 49_000) + `{}`
	for _, tt := range []struct {
		name string
		sort types.PatchType
		body string
	}{
		{"operations", types.JSONPatchType, string(repeated(`[`, `{},`, `]`))},
		{"tests without a value", types.JSONPatchType, `[` + strings.Repeat(`{"op":"test","path":""},`, 9_999) + `{"op":"test","path":""}]`},
		{"copies", types.JSONPatchType, copies},
		{"merge", types.MergePatchType, `{"spec":{"containers":[` + many + `]}}`},
		{"strategic", types.StrategicMergePatchType, `{"spec":{"tolerations":[` + many + `]}}`},
		{"apply aliases", types.ApplyYAMLPatchType, "apiVersion: v1\nkind: Pod\n" + aliases()},
		{"apply", types.ApplyYAMLPatchType, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"tolerations":[` + many + `]}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			used := allocated(func() {
				if _, err = resource.Weigh(string(tt.sort), []byte(tt.body)); err == nil {
					_, _, err = a.Patch(t.Context(), pods("p"), tt.sort, []byte(tt.body), metav1.PatchOptions{FieldManager: "m"})
				}
			})
			if used > 4*most { // it is decoded, merged, encoded and validated
				t.Errorf("%d MiB are allocated", used>>20)
			}
			if status, ok := err.(apierrors.APIStatus); !ok || status.Status().Code >= 500 {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestManyErrors: an object with everything wrong is refused about as fast as it is read.
func TestManyErrors(t *testing.T) {
	a := newAPI(t)
	pod := newPod("p")
	pod.Spec.Containers = make([]corev1.Container, 49_000)
	_, err := a.Create(t.Context(), pods(""), pod, metav1.CreateOptions{})
	status, ok := err.(apierrors.APIStatus)
	if !ok || !apierrors.IsInvalid(err) || len(status.Status().Details.Causes) != 1001 || !strings.Contains(err.Error(), "more errors") {
		t.Errorf("%d causes", len(status.Status().Details.Causes))
	}
}
