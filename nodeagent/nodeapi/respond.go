package nodeapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/pod"
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

// runningPods tells what runs, by the engine's word: names, and the containers' images.
func (s *Server) runningPods(w http.ResponseWriter, r *http.Request) {
	all, err := s.Runtime.Containers(r.Context())
	if err != nil {
		writeError(w, apierrors.NewInternalError(err))
		return
	}
	slices.SortFunc(all, func(a, b pod.Container) int {
		return cmp.Or(cmp.Compare(a.PodNamespace, b.PodNamespace), cmp.Compare(a.PodName, b.PodName), cmp.Compare(a.PodUID, b.PodUID), cmp.Compare(a.Name, b.Name))
	})
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: []corev1.Pod{}}
	for _, c := range all {
		if c.State != pod.Running || c.Sandbox {
			continue
		}
		if n := len(list.Items); n == 0 || list.Items[n-1].UID != c.PodUID {
			list.Items = append(list.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: c.PodNamespace, Name: c.PodName, UID: c.PodUID}})
		}
		p := &list.Items[len(list.Items)-1]
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: c.Name, Image: c.ImageID})
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
