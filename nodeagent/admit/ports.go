package admit

import (
	corev1 "k8s.io/api/core/v1"
)

// ports: no two pods have the same port of the host, on addresses that overlap.
func ports(p *corev1.Pod, _ *corev1.Node, others []*corev1.Pod) (refusal, bool) {
	r := predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
	wanted := hostPorts(p)
	if len(wanted) == 0 {
		return r, false
	}
	for _, o := range others {
		for _, taken := range hostPorts(o) {
			for _, want := range wanted {
				if clash(want, taken) {
					return r, true
				}
			}
		}
	}
	return r, false
}

// hostPorts lists the ports of the host that a pod asks for.
func hostPorts(p *corev1.Pod) []corev1.ContainerPort {
	var list []corev1.ContainerPort
	add := func(containers []corev1.Container, counts func(*corev1.Container) bool) {
		for i := range containers {
			for _, port := range containers[i].Ports {
				if port.HostPort > 0 && counts(&containers[i]) {
					list = append(list, port)
				}
			}
		}
	}
	add(p.Spec.InitContainers, func(c *corev1.Container) bool {
		return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	})
	add(p.Spec.Containers, func(*corev1.Container) bool { return true })
	return list
}

func clash(a, b corev1.ContainerPort) bool {
	return a.HostPort == b.HostPort && protocol(a) == protocol(b) &&
		(everywhere(a.HostIP) || everywhere(b.HostIP) || a.HostIP == b.HostIP)
}

func protocol(p corev1.ContainerPort) corev1.Protocol {
	if p.Protocol == "" {
		return corev1.ProtocolTCP
	}
	return p.Protocol
}

func everywhere(ip string) bool { return ip == "" || ip == "0.0.0.0" }
