package rest

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// podProxy passes HTTP on to a port of a pod: …/pods/[http:|https:]NAME[:PORT]/proxy/PATH.
func podProxy(h *Handler, c *call) error {
	scheme, name, port, ok := splitTarget(c.info.Name)
	if !ok {
		return apierrors.NewBadRequest(fmt.Sprintf("invalid pod request %q", c.info.Name))
	}
	pod, err := h.pod(c, name)
	if err != nil {
		return err
	}
	if pod.Status.PodIP == "" {
		return apierrors.NewBadRequest(fmt.Sprintf("pod %s does not have an IP address yet", name))
	}
	to := &url.URL{Scheme: scheme, Host: pod.Status.PodIP, Path: c.info.Rest, RawQuery: c.r.URL.RawQuery}
	if port = podPort(pod, port); port != "" {
		to.Host = net.JoinHostPort(pod.Status.PodIP, port)
	}
	h.forward(c, to, h.agents.direct, false)
	return nil
}

// podPort is a port's number; by its name, or the first one that a container declares.
func podPort(pod *corev1.Pod, port string) string {
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if port == "" || p.Name == port {
				return strconv.Itoa(int(p.ContainerPort))
			}
		}
	}
	return port
}

// nodeProxy passes HTTP on to a node's agent: …/nodes/NAME[:PORT]/proxy/PATH. A port must be the agent's own.
func nodeProxy(h *Handler, c *call) error {
	_, name, port, ok := splitTarget(c.info.Name)
	if !ok {
		return apierrors.NewBadRequest(fmt.Sprintf("invalid node request %q", c.info.Name))
	}
	to, err := h.agents.location(name, c.info.Rest, c.query)
	if err != nil {
		return err
	}
	if port != "" && port != to.Port() {
		return apierrors.NewBadRequest(fmt.Sprintf("the agent of node %s listens on port %s, not %s", name, to.Port(), port))
	}
	h.forward(c, to, h.agents.transport, false)
	return nil
}

// splitTarget reads [SCHEME:]NAME[:PORT].
func splitTarget(s string) (scheme, name, port string, ok bool) {
	parts := strings.Split(s, ":")
	switch len(parts) {
	case 1:
		scheme, name = "http", parts[0]
	case 2:
		scheme, name, port = "http", parts[0], parts[1]
	case 3:
		if scheme, name, port = parts[0], parts[1], parts[2]; scheme == "" {
			scheme = "http"
		}
	default:
		return "", "", "", false
	}
	return scheme, name, port, name != "" && (scheme == "http" || scheme == "https")
}
