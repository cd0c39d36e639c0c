package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/proxy"

	"leme/server/kind"
)

// connection serves a subresource that is answered elsewhere than from the store: by a node's agent, in a pod, or by
// who signs tokens.
type connection struct {
	schema.GroupResource
	name  string
	serve func(h *Handler, c *call) error
}

// connections lists them.
func connections() []connection {
	return []connection{
		{pods, "log", podLog},
		{pods, "exec", podExec},
		{pods, "attach", podAttach},
		{pods, "portforward", podPortForward},
		{pods, "proxy", podProxy},
		{nodes, "proxy", nodeProxy},
		{kind.Service.GroupResource(), "proxy", serviceProxy},
		{kind.ServiceAccount.GroupResource(), "token", createToken},
	}
}

func findConnect(gr schema.GroupResource, name string) *connection {
	all := connections()
	i := slices.IndexFunc(all, func(s connection) bool { return s.name == name && s.GroupResource == gr })
	if i < 0 {
		return nil
	}
	return &all[i]
}

func (h *Handler) connect(c *call, s *connection) error {
	if err := h.mayReachInto(c, s); err != nil {
		return err
	}
	return s.serve(h, c)
}

// reaching are the ways into a pod. WebSockets ask for them by GET, which must not open them to those who only read.
var reaching = []string{"exec", "attach", "portforward"}

func (h *Handler) mayReachInto(c *call, s *connection) error {
	if c.info.Verb != "get" || !slices.Contains(reaching, s.name) {
		return nil
	}
	a := c.info.attributes(c.query)
	a.Verb = "create"
	if allowed, reason := h.authz.Authorize(c.user, a); !allowed {
		return forbidden(c.user, a, reason)
	}
	return nil
}

// pod is the one that the path names.
func (h *Handler) pod(c *call, name string) (*corev1.Pod, error) {
	target := c.target()
	target.Name, target.Subresource = name, ""
	it, err := h.api.Get(c.r.Context(), target, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return nil, fmt.Errorf("pod %s is a %T", name, obj)
	}
	return pod, nil
}

// placed is the pod that the path names; one that has no node cannot be connected to.
func (h *Handler) placed(c *call) (*corev1.Pod, error) {
	pod, err := h.pod(c, c.info.Name)
	if err == nil && pod.Spec.NodeName == "" {
		err = apierrors.NewBadRequest(fmt.Sprintf("pod %s does not have a host assigned", pod.Name))
	}
	return pod, err
}

// forward passes a request on, upgrades included, until either side ends it or the server stops.
func (h *Handler) forward(c *call, to *url.URL, transport http.RoundTripper, upgrade bool) {
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(h.life, cancel)()
	passTrace(ctx, c.r.Header)
	p := proxy.NewUpgradeAwareHandler(to, transport, false, upgrade, responder{c})
	p.UseLocationHost = true
	p.ServeHTTP(c.w, c.r.WithContext(ctx))
}

// responder tells a proxy's failure as a Status.
type responder struct{ c *call }

func (r responder) Error(_ http.ResponseWriter, _ *http.Request, err error) {
	if _, ok := err.(apierrors.APIStatus); !ok {
		err = apierrors.NewServiceUnavailable(fmt.Sprintf("error trying to reach the backend: %v", err))
	}
	r.c.fail(err)
}
