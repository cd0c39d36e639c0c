package rest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"leme/server/auth"
	"leme/server/flow"
)

// TestFloodLeavesOthersAlone: while one user has filled the server with requests that do not end, another user's, a
// node's and an administrator's are answered, and the flood's next one gets a 429.
func TestFloodLeavesOthersAlone(t *testing.T) {
	b := newBed(t, &tls.Config{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// These never end: their bodies do not.
	occupied := make(chan struct{}, 10_000)
	for range 200 {
		reader, writer := io.Pipe()
		t.Cleanup(func() { writer.Close() })
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/api/v1/namespaces/default/configmaps", reader)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("X-User", "system:serviceaccount:default:mallory")
			r.Header.Set("X-Group", "system:serviceaccounts")
			occupied <- struct{}{}
			if resp, err := http.DefaultClient.Do(r); err == nil {
				resp.Body.Close()
			}
		}()
	}
	for range 200 {
		<-occupied
	}
	for _, who := range [][2]string{{"jane", "staff"}, {"system:node:n1", auth.GroupNodes}, {"admin", auth.GroupMasters}} {
		for range 20 {
			code, _, body := b.do(t, "GET /version", "", "X-User: "+who[0], "X-Group: "+who[1])
			if code != http.StatusOK {
				t.Fatalf("%s: %d %s", who[0], code, body)
			}
		}
	}
}

// TestSlowBody: who does not send what was announced is told so, and gives the seats back.
func TestSlowBody(t *testing.T) {
	b := newBed(t, &tls.Config{})
	b.bodyTime = 50 * time.Millisecond
	reader, writer := io.Pipe()
	defer writer.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/api/v1/namespaces/default/configmaps", reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-User", "jane")
	r.Header.Set("X-Group", auth.GroupMasters)
	go func() { _, _ = io.WriteString(writer, `{"metadata":`) }()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// TestRefusal: who cannot be served is told when to come again, and counted.
func TestRefusal(t *testing.T) {
	b := newBed(t, &tls.Config{})
	nobody := flow.Request{User: auth.User{Name: "nobody"}, Seats: flow.MaxSeats}
	for {
		done, err := b.flow.Enter(t.Context(), nobody)
		if err != nil {
			break
		}
		defer done()
	}
	r := httptest.NewRequest(http.MethodGet, "/version", nil)
	w := httptest.NewRecorder()
	c := &call{w: &recorder{ResponseWriter: w}, r: r, info: parseInfo(r.Method, r.URL.Path, nil), user: auth.User{Name: "nobody"}}
	c.series = b.metrics.of(b.subject(c))
	c.r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	b.limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was served") })).ServeHTTP(c.w, c.r)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	_, _, metrics := b.do(t, "GET /metrics", "")
	for _, want := range []string{
		`apiserver_flowcontrol_rejected_requests_total{flow_schema="catch-all",priority_level="catch-all",reason="concurrency-limit"} 2`,
		`apiserver_request_terminations_total{code="429",component="apiserver",group="",resource="",scope="",subresource="",verb="GET",version=""} 1`,
		`apiserver_flowcontrol_current_executing_seats{priority_level="exempt"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("%s is not in the metrics", want)
		}
	}
}

// TestSeats: what requests cost.
func TestSeats(t *testing.T) {
	b := newBed(t, &tls.Config{})
	for i := range 1200 {
		body := fmt.Sprintf(`{"metadata":{"name":"c%d"}}`, i)
		if code, _, answer := b.do(t, "POST "+"/api/v1/namespaces/default/configmaps", body); code != http.StatusCreated {
			t.Fatal(code, answer)
		}
	}
	const maps = "/api/v1/namespaces/default/configmaps"
	for _, tt := range []struct {
		method, url string
		length      int64
		want        int
	}{
		{"GET", maps, 0, 3},
		{"GET", maps + "?limit=100", 0, 1},
		{"GET", maps + "?limit=100&labelSelector=a", 0, 3},
		{"GET", maps + "?fieldSelector=metadata.name%3Dc1", 0, 1},
		{"GET", maps + "?watch=1", 0, 3},
		{"GET", maps + "?watch=1&resourceVersion=7", 0, 1},
		{"GET", maps + "?watch=1&resourceVersion=7&sendInitialEvents=true", 0, 3},
		{"GET", maps + "/c1", 0, 1},
		{"GET", "/api/v1/nothings", 0, 1},
		{"GET", "/version", 0, 1},
		{"DELETE", maps, 0, 3},
		{"POST", maps, 1000, 1},
		{"POST", maps, 3 << 20, 10},
		{"POST", maps, 600 << 10, 3},
		{"PUT", maps + "/c1", -1, 10},
	} {
		r := httptest.NewRequest(tt.method, tt.url, nil)
		r.ContentLength = tt.length
		query := r.URL.Query()
		if got := b.seats(&call{r: r, query: query, info: parseInfo(r.Method, r.URL.Path, query)}); got != tt.want {
			t.Errorf("%s %s of %d bytes: %d seats, want %d", tt.method, tt.url, tt.length, got, tt.want)
		}
	}
}
