package server

import (
	"encoding/json"
	"net/http"

	corev1 "k8s.io/api/core/v1"

	"leme/server/auth"
	"leme/server/rest"
	"leme/server/scheduler"
)

const (
	explainPath = "/scheduler/explain"
	largestPod  = 3 << 20 // bytes, as of any request
)

// explainMount answers what the scheduler thinks of a pod that is sent to it, which need not be there. The answer tells of
// all nodes: whoever may list them may ask.
func (s *Server) explainMount() rest.Mount {
	return rest.Mount{
		Prefix: explainPath, Handler: http.HandlerFunc(s.explain),
		Attributes: func(*http.Request) auth.Attributes { return auth.Attributes{Verb: "list", Resource: "nodes"} },
	}
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	p := s.serving.Load()
	switch {
	case r.URL.Path != explainPath:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "a pod is to be posted", http.StatusMethodNotAllowed)
		return
	case p == nil:
		http.Error(w, "the server is not ready", http.StatusServiceUnavailable)
		return
	}
	pod := &corev1.Pod{}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestPod)).Decode(pod); err != nil {
		http.Error(w, "reading the pod: "+err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(scheduler.Explain(p.api, s.config.Scheduler, pod)) // a client that is gone reads no error
}
