package dashboard

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	for _, tt := range []struct {
		method, path string
		code         int
	}{
		{"GET", "/ui/", 200}, {"HEAD", "/ui/", 200}, {"GET", "/ui/other", 404}, {"POST", "/ui/", 405},
	} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
		if w.Code != tt.code {
			t.Errorf("%s %s: %d", tt.method, tt.path, w.Code)
		}
	}
}

// TestPageIsSelfContained: nothing is loaded from anywhere, and nothing that a cluster says becomes markup.
func TestPageIsSelfContained(t *testing.T) {
	if found := regexp.MustCompile(`https?://|src=|@import|url\(`).Find(page); found != nil {
		t.Errorf("the page has %q", found)
	}
	if strings.Contains(string(page), "innerHTML") {
		t.Error("the page writes markup")
	}
}
