package h2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// TestAnswers: handlers answer as they do over net/http's own HTTP/2.
func TestAnswers(t *testing.T) {
	long := strings.Repeat("long ", 50_000)
	for _, test := range []struct {
		name    string
		method  string
		body    string
		handler http.HandlerFunc
		status  int
		want    string
		header  map[string]string // "" for those that must not be there
		trailer map[string]string
	}{
		{name: "nothing", handler: func(http.ResponseWriter, *http.Request) {}, status: 200, header: map[string]string{"Content-Length": "0"}},
		{name: "short", handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, status: 200,
			want: "<html>", header: map[string]string{"Content-Length": "6", "Content-Type": "text/html; charset=utf-8"}},
		{name: "long", handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) }, status: 200,
			want: long, header: map[string]string{"Content-Length": ""}},
		{name: "in pieces", handler: func(w http.ResponseWriter, _ *http.Request) {
			for _, piece := range []string{"a", strings.Repeat("b", 5000), "c"} {
				_, _ = io.WriteString(w, piece)
				w.(http.Flusher).Flush()
			}
		}, status: 200, want: "a" + strings.Repeat("b", 5000) + "c"},
		{name: "an echo", method: "POST", body: long, handler: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		}, status: 200, want: long},
		{name: "of a body that nobody reads", method: "POST", body: long, handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}, status: 413},
		{name: "none allowed", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Errorf("a body where there is none: %v", err)
			}
		}, status: 204, header: map[string]string{"Content-Length": ""}},
		{name: "HEAD", method: "HEAD", handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) }, status: 200,
			header: map[string]string{"Content-Length": fmt.Sprint(len(long))}},
		{name: "too much", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
			if _, err := io.WriteString(w, "d"); !errors.Is(err, http.ErrContentLength) {
				t.Errorf("more than was declared: %v", err)
			}
		}, status: 200, want: "abc"},
		{name: "what belongs to connections", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Keep-Alive", "1")
			w.Header().Set("X-Bad", "a\nb")
			w.Header().Set("X-Good", "c")
		}, status: 200, header: map[string]string{"Keep-Alive": "", "X-Bad": "", "X-Good": "c"}},
		{name: "a header after the beginning", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.Header().Set("Late", "x")
			w.WriteHeader(http.StatusTeapot)
		}, status: 202, header: map[string]string{"Late": ""}},
		{name: "trailers", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "Sum")
			_, _ = io.WriteString(w, "abc")
			w.Header().Set("Sum", "6")
			w.Header().Set(http.TrailerPrefix+"More", "7")
		}, status: 200, want: "abc", trailer: map[string]string{"Sum": "6", "More": "7"}},
		{name: "a large header", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Large", strings.Repeat("x", 40_000))
		}, status: 200, header: map[string]string{"Large": strings.Repeat("x", 40_000)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.handler, nil)
			r, err := http.NewRequestWithContext(t.Context(), test.method, s.URL+"/x", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if err != nil || resp.ProtoMajor != 2 || resp.StatusCode != test.status || string(got) != test.want {
				t.Errorf("%s %s: %d bytes, %v; want %d and %d bytes", resp.Proto, resp.Status, len(got), err, test.status, len(test.want))
			}
			for name, want := range test.header {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			for name, want := range test.trailer {
				if got := resp.Trailer.Get(name); got != want {
					t.Errorf("trailer %s: %q, want %q", name, got, want)
				}
			}
			if date := resp.Header.Get("Date"); date == "" {
				t.Error("there is no date")
			}
		})
	}
}

// TestRequests: handlers see of a request what they see over net/http's own HTTP/2.
func TestRequests(t *testing.T) {
	saw := make(chan *http.Request, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		saw <- r
	}, nil)
	body := struct{ io.Reader }{strings.NewReader("body")} // of a size that nobody knows
	r, err := http.NewRequestWithContext(t.Context(), "PUT", s.URL+"/a%2Fb?c=d", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["X-Two"] = []string{"1", "2"}
	r.Header.Set("Cookie", "a=1; b=2")
	r.Trailer = http.Header{"Sum": {"6"}}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := <-saw
	for what, is := range map[string]bool{
		"method":   got.Method == "PUT",
		"path":     got.URL.Path == "/a/b" && got.URL.RawPath == "/a%2Fb" && got.RequestURI == "/a%2Fb?c=d",
		"host":     got.Host == s.Listener.Addr().String(),
		"protocol": got.Proto == "HTTP/2.0" && got.ProtoMajor == 2,
		"header":   len(got.Header["X-Two"]) == 2 && got.Header.Get("Cookie") == "a=1; b=2" && got.Header.Get("Host") == "",
		"length":   got.ContentLength == -1,
		"trailer":  got.Trailer.Get("Sum") == "6",
		"address":  got.RemoteAddr != "" && got.Context().Value(http.LocalAddrContextKey) != nil,
		"server":   got.Context().Value(http.ServerContextKey) == s.Config,
		"TLS":      got.TLS != nil && got.TLS.NegotiatedProtocol == "h2",
	} {
		if !is {
			t.Errorf("%s: %+v", what, got)
		}
	}
	select {
	case <-got.Context().Done(): // a moment after the answer is whole
	case <-time.After(20 * time.Second):
		t.Error("the request's context goes on")
	}
}

// TestBrokenOff: what a handler does not finish is not taken for whole, and ends nothing else.
func TestBrokenOff(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		switch r.URL.Path {
		case "/panic":
			panic("no")
		case "/abort":
			panic(http.ErrAbortHandler)
		}
	}, nil)
	for path, whole := range map[string]bool{"/panic": false, "/abort": false, "/": true} {
		body, err := get(t, s, path)
		if body != "half" || (err == nil) != whole {
			t.Errorf("%s: %q, %v", path, body, err)
		}
	}
}

func get(t *testing.T, s *httptest.Server, path string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// TestInformation: answers before the answer, asked for and not.
func TestInformation(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "early")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.Copy(w, r.Body)
	}, nil)
	var told []int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { told = append(told, code); return nil },
	})
	r, err := http.NewRequestWithContext(ctx, "POST", s.URL, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Expect", "100-continue")
	client := s.Client()
	client.Transport.(*http.Transport).ExpectContinueTimeout = 30 * time.Second
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "body" || err != nil || fmt.Sprint(told) != "[103 100]" {
		t.Errorf("%q, %v, %v", body, err, told)
	}
}

// TestClientGoes: a handler learns it.
func TestClientGoes(t *testing.T) {
	ended := make(chan error, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		_, err := w.Write(bytes.Repeat([]byte("x"), heldMost+1))
		ended <- err
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel()
	if err := <-ended; !errors.Is(err, errGone) {
		t.Errorf("writing to a client that has gone: %v", err)
	}
}
