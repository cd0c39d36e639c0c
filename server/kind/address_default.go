package kind

import corev1 "k8s.io/api/core/v1"

// An address that can be one of two families is served twice: as a list, and, as it was when there was only one
// family, by itself. The defaults here keep both alike; where they differ, the single one was written last.

func defaultPodAddresses(s *corev1.PodStatus) {
	alike(&s.PodIP, &s.PodIPs, func(ip *corev1.PodIP) *string { return &ip.IP })
	alike(&s.HostIP, &s.HostIPs, func(ip *corev1.HostIP) *string { return &ip.IP })
}

func defaultNodeAddresses(s *corev1.NodeSpec) {
	alike(&s.PodCIDR, &s.PodCIDRs, func(cidr *string) *string { return cidr })
}

func alike[T any](single *string, list *[]T, text func(*T) *string) {
	switch {
	case *single == "" && len(*list) > 0:
		*single = *text(&(*list)[0])
	case *single != "" && (len(*list) == 0 || *text(&(*list)[0]) != *single):
		*list = make([]T, 1)
		*text(&(*list)[0]) = *single
	}
}
