package rest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/resource"
)

// serviceProxy passes HTTP on to a ready pod behind a service: …/services/[http:|https:]NAME[:PORT]/proxy/PATH. The port
// is one of the service's, by its name or number; without one it is the one that has no name.
func serviceProxy(h *Handler, c *call) error {
	scheme, name, port, ok := splitTarget(c.info.Name)
	if !ok {
		return apierrors.NewBadRequest(fmt.Sprintf("invalid service request %q", c.info.Name))
	}
	port, err := h.servicePort(c.info.Namespace, name, port)
	if err != nil {
		return err
	}
	lists := resource.For[*discoveryv1.EndpointSlice](h.api, kind.EndpointSlice, "").List(c.info.Namespace, func(s *discoveryv1.EndpointSlice) bool {
		return s.Labels[discoveryv1.LabelServiceName] == name
	})
	pods := resource.For[*corev1.Pod](h.api, kind.Pod, "")
	host, ok := anyEndpoint(lists, port, func(e *discoveryv1.Endpoint) bool {
		return e.TargetRef != nil && e.TargetRef.Namespace == c.info.Namespace && isOfPod(pods, e)
	})
	if !ok {
		return apierrors.NewServiceUnavailable(fmt.Sprintf("no endpoints available for service %q", name))
	}
	h.forward(c, &url.URL{Scheme: scheme, Host: host, Path: c.info.Rest, RawQuery: c.r.URL.RawQuery}, h.agents.direct, false)
	return nil
}

// servicePort is the name of a service's port that is asked for by its number.
func (h *Handler) servicePort(namespace, name, port string) (string, error) {
	number, err := strconv.ParseInt(port, 10, 64)
	if err != nil {
		return port, nil
	}
	service, ok := resource.For[*corev1.Service](h.api, kind.Service, "").Get(namespace, name)
	if !ok {
		return "", apierrors.NewNotFound(kind.Service.GroupResource(), name)
	}
	i := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return int64(p.Port) == number })
	if i < 0 {
		return "", apierrors.NewServiceUnavailable(fmt.Sprintf("no service port %d found for service %q", number, name))
	}
	return service.Spec.Ports[i].Name, nil
}

// isOfPod tells whether an endpoint is what it says: whoever may write endpoints must not reach what they could not reach
// by themselves.
func isOfPod(pods resource.Typed[*corev1.Pod], e *discoveryv1.Endpoint) bool {
	pod, ok := pods.Get(e.TargetRef.Namespace, e.TargetRef.Name)
	return ok && slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool { return ip.IP == e.Addresses[0] })
}

// anyEndpoint chooses at random among the ready and valid endpoints that serve a port, and gives its address with the port.
func anyEndpoint(lists []*discoveryv1.EndpointSlice, port string, valid func(*discoveryv1.Endpoint) bool) (address string, ok bool) {
	type target struct {
		endpoint *discoveryv1.Endpoint
		port     int32
	}
	var all []target
	for _, s := range lists {
		i := slices.IndexFunc(s.Ports, func(p discoveryv1.EndpointPort) bool { return p.Port != nil && ptr.Deref(p.Name, "") == port })
		if i < 0 {
			continue
		}
		for e := range s.Endpoints {
			if endpoint := &s.Endpoints[e]; len(endpoint.Addresses) > 0 && ptr.Deref(endpoint.Conditions.Ready, true) {
				all = append(all, target{endpoint, *s.Ports[i].Port})
			}
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, t := range all {
		if valid(t.endpoint) {
			return net.JoinHostPort(t.endpoint.Addresses[0], strconv.Itoa(int(t.port))), true
		}
	}
	return "", false
}
