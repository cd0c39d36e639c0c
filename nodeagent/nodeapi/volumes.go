package nodeapi

import (
	"net/http"
)

// Volumes are the directories of persistent volumes on the node.
type Volumes interface {
	// Make returns the path of a volume's directory, and makes it where there is none.
	Make(name string) (path string, err error)
	// Remove removes a volume's directory; that it is gone is no error.
	Remove(name string) error
}

// madeVolume is the answer to the server that has asked for a volume.
type madeVolume struct {
	Path string `json:"path"`
}

func (s *Server) makeVolume(w http.ResponseWriter, r *http.Request) {
	path, err := s.Volumes.Make(r.PathValue("volume"))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, madeVolume{path})
}

func (s *Server) removeVolume(w http.ResponseWriter, r *http.Request) {
	if err := s.Volumes.Remove(r.PathValue("volume")); err != nil {
		writeError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
