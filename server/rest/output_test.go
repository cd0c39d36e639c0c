package rest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"

	"leme/server/resource"
)

// TestCompress: big answers go out compressed to whoever can read that, but not over the loopback.
func TestCompress(t *testing.T) {
	list := &resource.List{Items: benchPods(t, 1000), Revision: 1000}
	for _, tt := range []struct {
		name, from, accepts string
		items               int
		want                bool
	}{
		{"far away", "192.0.2.9:1234", "gzip", 1000, true},
		{"far away, small", "192.0.2.9:1234", "gzip", 1, false},
		{"far away, plain", "192.0.2.9:1234", "", 1000, false},
		{"next door", "127.0.0.1:1234", "gzip", 1000, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c := benchCall(accept{format: formatJSON})
			c.w = &recorder{ResponseWriter: w}
			c.r.RemoteAddr = tt.from
			c.r.Header.Set("Accept-Encoding", tt.accepts)
			part := *list
			part.Items = part.Items[:tt.items]
			if err := c.writeList(200, &part); err != nil {
				t.Fatal(err)
			}
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != tt.want {
				t.Fatalf("compressed: %v", got)
			}
			body := io.Reader(w.Body)
			if tt.want {
				z, err := gzip.NewReader(w.Body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			raw, err := io.ReadAll(body)
			if err != nil || !bytes.HasSuffix(raw, []byte("]}\n")) {
				t.Errorf("the list is not whole: %v", err)
			}
		})
	}
}
