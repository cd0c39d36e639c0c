package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// benchPods are items as the store would hold them.
func benchPods(b testing.TB, n int) []*store.Item {
	b.Helper()
	items := make([]*store.Item, n)
	for i := range items {
		pod := &corev1.Pod{
			TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "default", Name: fmt.Sprintf("pod-%05d", i), ResourceVersion: fmt.Sprint(i + 1),
				CreationTimestamp: metav1.NewTime(time.Now().Add(-time.Duration(i) * time.Second)),
				Labels:            map[string]string{"app": "web", "tier": "front"},
			},
			Spec:   corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "web", Image: "web:1"}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.42.0.7"},
		}
		raw, err := store.Encode(pod, kind.Pod.GroupVersionKind)
		if err != nil {
			b.Fatal(err)
		}
		key := store.Key{GroupResource: kind.Pod.GroupResource(), Namespace: "default", Name: pod.Name}
		items[i] = store.NewItem(key, int64(i+1), raw, pod)
	}
	return items
}

// discard is a client that reads nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func benchCall(a accept) *call {
	return &call{
		w: &recorder{ResponseWriter: discard{http.Header{}}}, r: httptest.NewRequest("GET", "/api/v1/pods", nil),
		kind: kind.Pod, accept: a, tables: &tables{}, pieces: &pieces{},
	}
}

// BenchmarkList: what an answer allocates does not depend on how many items it has.
func BenchmarkList(b *testing.B) {
	list := &resource.List{Items: benchPods(b, 10_000), Revision: 10_000}
	for _, f := range []struct {
		name     string
		accept   accept
		encoding string
	}{
		{"json", accept{format: formatJSON}, ""},
		{"json, gzip", accept{format: formatJSON}, "gzip"},
		{"partial", accept{format: formatJSON, form: formPartial}, ""},
		{"table", accept{format: formatJSON, form: formTable}, ""},
		{"protobuf", accept{format: formatProtobuf}, ""},
	} {
		b.Run(f.name, func(b *testing.B) {
			c := benchCall(f.accept)
			c.r.Header.Set("Accept-Encoding", f.encoding)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.writeList(http.StatusOK, list); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(list.Items)), "ns/item")
		})
	}
}

// BenchmarkWatch: one event to a thousand watchers.
func BenchmarkWatch(b *testing.B) {
	event := store.Event{Type: watch.Modified, Item: benchPods(b, 1)[0]}
	for _, f := range []struct {
		name   string
		accept accept
	}{
		{"json", accept{format: formatJSON}},
		{"table", accept{format: formatJSON, form: formTable}},
		{"protobuf", accept{format: formatProtobuf}},
	} {
		b.Run(f.name, func(b *testing.B) {
			framers := make([]*framer, 1000)
			for i := range framers {
				made, err := (&Handler{}).newFramer(benchCall(f.accept))
				if err != nil {
					b.Fatal(err)
				}
				framers[i] = made
			}
			buf := make([]byte, 0, 8<<10)
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range framers {
					out, err := f.append(buf[:0], event)
					if err != nil {
						b.Fatal(err)
					}
					_, _ = io.Discard.Write(out)
				}
			}
		})
	}
}
