package rest

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// frames opens a watch and reads it line by line.
func frames(t *testing.T, s *httptest.Server, path, accept string) *bufio.Scanner {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-User", "admin")
	r.Header.Set("X-Group", auth.GroupMasters)
	r.Header.Set("Accept", accept)
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	if s.TLS != nil && resp.ProtoMajor != 2 {
		t.Fatalf("it speaks %s", resp.Proto)
	}
	return bufio.NewScanner(resp.Body)
}

func TestWatchFrames(t *testing.T) {
	b := newBed(t, &tls.Config{})
	t.Run("written", func(t *testing.T) { testWatchFrames(t, b, b.server) })
	t.Run("pushed", func(t *testing.T) { testWatchFrames(t, b, b.secure) })
}

func testWatchFrames(t *testing.T, b *bed, s *httptest.Server) {
	maps := resource.For[*corev1.ConfigMap](b.api, kind.ConfigMap, "test")
	for _, tt := range []struct {
		name, accept string
		want         [3]string // the beginnings of the frames of a creation, a change and a deletion
	}{
		{"json", "application/json", [3]string{
			`{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"`,
			`{"type":"MODIFIED","object":{"kind":"ConfigMap"`,
			`{"type":"DELETED","object":{"kind":"ConfigMap"`,
		}},
		{"table", "application/json;as=Table;v=v1;g=meta.k8s.io", [3]string{
			`{"type":"ADDED","object":{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"REV"},"columnDefinitions":[{"name":"Name"`,
			`{"type":"MODIFIED","object":{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"REV"},"columnDefinitions":null,"rows":[{"cells":["table",`,
			`{"type":"DELETED","object":{"kind":"Table"`,
		}},
		{"partial", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", [3]string{
			`{"type":"ADDED","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{`,
			`{"type":"MODIFIED","object":{"kind":"PartialObjectMetadata"`,
			`{"type":"DELETED","object":{"kind":"PartialObjectMetadata"`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			revision := b.api.Store().Snapshot(kind.ConfigMap.GroupResource()).Revision()
			in := frames(t, s, fmt.Sprintf("/api/v1/configmaps?watch=1&resourceVersion=%d", revision), tt.accept)
			m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: tt.name}}
			if _, err := maps.Create(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if _, err := maps.Update(t.Context(), "default", tt.name, func(m *corev1.ConfigMap) error {
				m.Data = map[string]string{"a": "b"}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := maps.Delete(t.Context(), "default", tt.name, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !in.Scan() {
					t.Fatalf("the watch ended: %v", in.Err())
				}
				var frame struct{ Object metav1.PartialObjectMetadata }
				if err := json.Unmarshal(in.Bytes(), &frame); err != nil {
					t.Fatalf("%v in %s", err, in.Bytes())
				}
				want = strings.Replace(want, "REV", frame.Object.ResourceVersion, 1)
				if !strings.HasPrefix(in.Text(), want) {
					t.Errorf("got  %s\nwant %s", in.Text(), want)
				}
			}
		})
	}
}

func TestWatchEnds(t *testing.T) {
	b := newBed(t, &tls.Config{})
	t.Run("in its time", func(t *testing.T) {
		in := frames(t, b.secure, "/api/v1/pods?watch=1&timeoutSeconds=1", "application/json")
		if in.Scan() {
			t.Errorf("got %s", in.Text())
		}
	})
	t.Run("with the server", func(t *testing.T) {
		in := frames(t, b.secure, "/api/v1/pods?watch=1", "application/json")
		b.Close()
		if in.Scan() {
			t.Errorf("got %s", in.Text())
		}
	})
}

// TestWatchError: an error after the headers is a frame, and clients find its reason there.
func TestWatchError(t *testing.T) {
	status := statusOf(apierrors.NewResourceExpired("too old resource version: 1 (2)"))
	raw, err := (&framer{format: formatJSON}).appendError(nil, &status)
	if err != nil {
		t.Fatal(err)
	}
	var frame struct {
		Type   string
		Object metav1.Status
	}
	if err := json.Unmarshal(raw, &frame); err != nil {
		t.Fatal(err)
	}
	if frame.Type != "ERROR" || frame.Object.Code != http.StatusGone || frame.Object.Reason != metav1.StatusReasonExpired || frame.Object.Kind != "Status" {
		t.Errorf("got %s", raw)
	}
}
