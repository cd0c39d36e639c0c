package kind

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// serviceExternalIP is where a service is reached from outside of the cluster.
func serviceExternalIP(s *corev1.Service) string {
	switch s.Spec.Type {
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort:
		return or(strings.Join(s.Spec.ExternalIPs, ","), none)
	case corev1.ServiceTypeLoadBalancer:
		all := append(balancerAddresses(s.Status.LoadBalancer.Ingress, balancerAddress), s.Spec.ExternalIPs...)
		return or(strings.Join(all, ","), "<pending>")
	case corev1.ServiceTypeExternalName:
		return s.Spec.ExternalName
	}
	return unknown
}

func balancerAddress(i corev1.LoadBalancerIngress) (ip, hostname string) { return i.IP, i.Hostname }

// balancerAddresses are the addresses of a load balancer, sorted, each once.
func balancerAddresses[T any](points []T, of func(T) (ip, hostname string)) []string {
	var all []string
	for _, point := range points {
		if ip, hostname := of(point); ip != "" || hostname != "" {
			all = append(all, or(ip, hostname))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func servicePortsText(ports []corev1.ServicePort) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = fmt.Sprintf("%d/%s", p.Port, p.Protocol)
		if p.NodePort > 0 {
			texts[i] = fmt.Sprintf("%d:%d/%s", p.Port, p.NodePort, p.Protocol)
		}
	}
	return strings.Join(texts, ",")
}
