package rest

import (
	"io"
	"net/http"
	"testing"
)

// An agent that compresses what it is asked every few seconds keeps a compressor for that.
func TestAgentsNeedNotCompress(t *testing.T) {
	asked := make(chan string, 1)
	b := newAgentBed(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Accept-Encoding")
		_, _ = io.WriteString(w, "some figures")
	}))
	body, err := b.AskAgent(t.Context(), "n1", "/metrics/resource")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if text, err := io.ReadAll(body); err != nil || string(text) != "some figures" {
		t.Errorf("%q, %v", text, err)
	}
	if encoding := <-asked; encoding != "identity" {
		t.Errorf("asked for %q", encoding)
	}
}
