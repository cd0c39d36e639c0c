package nodeapi

import (
	"encoding/json"
	"errors"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // a client that went away cannot be told
}

// writeError answers with an error's words in plain text, as a kubelet does; the server makes a Status of it. An error
// that does not say more of itself is a bad request.
func writeError(w http.ResponseWriter, err error) {
	status := statusOf(err)
	http.Error(w, status.Message, int(status.Code))
}

// writeStatus answers with a Status. It is for requests to upgrade: the server passes the answer to those on untouched.
func writeStatus(w http.ResponseWriter, err error) {
	status := statusOf(err)
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	writeJSON(w, int(status.Code), status)
}

func statusOf(err error) metav1.Status {
	var known apierrors.APIStatus
	if !errors.As(err, &known) {
		known = apierrors.NewBadRequest(err.Error())
	}
	return known.Status()
}

func notFound(namespace, name string) error {
	return apierrors.NewNotFound(corev1.Resource("pods"), namespace+"/"+name)
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	if err := s.Health(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write([]byte("ok")) //nolint:errcheck // a client that went away cannot be told
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Version)
}

func (s *Server) pods(w http.ResponseWriter, _ *http.Request) {
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: []corev1.Pod{}}
	for _, p := range s.Pods.List() {
		list.Items = append(list.Items, *p)
	}
	writeJSON(w, http.StatusOK, list)
}

// container finds the container that a request's path names.
func (s *Server) container(r *http.Request, previous bool) (id string, p *corev1.Pod, err error) {
	namespace, name := r.PathValue("namespace"), r.PathValue("pod")
	p, ok := s.Pods.Lookup(namespace, name, r.PathValue("uid"))
	if !ok {
		return "", nil, notFound(namespace, name)
	}
	id, err = s.Pods.ContainerID(namespace, name, r.PathValue("container"), previous)
	return id, p, err
}
