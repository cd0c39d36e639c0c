package nodeapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"leme/nodeagent/localpath"
)

func TestVolumes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "volumes")
	s := &Server{Config: Config{Volumes: localpath.Folder(root)}}
	ask := func(method, name string, code int) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest(method, "/volumes/"+name, nil)
		r.SetPathValue("volume", name)
		w := httptest.NewRecorder()
		if method == http.MethodPut {
			s.makeVolume(w, r)
		} else {
			s.removeVolume(w, r)
		}
		if w.Code != code {
			t.Fatalf("%s %s is answered by %d %s", method, name, w.Code, w.Body)
		}
		return w
	}
	var made madeVolume
	if err := json.Unmarshal(ask(http.MethodPut, "pvc-1", http.StatusOK).Body.Bytes(), &made); err != nil || made.Path != filepath.Join(root, "pvc-1") {
		t.Fatalf("made %+v, %v", made, err)
	}
	if _, err := os.Stat(made.Path); err != nil {
		t.Error(err)
	}
	ask(http.MethodDelete, "pvc-1", http.StatusNoContent)
	if _, err := os.Stat(made.Path); !os.IsNotExist(err) {
		t.Errorf("after its removal: %v", err)
	}
	ask(http.MethodPut, "..", http.StatusBadRequest)
}
