package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func defaultService(s *corev1.Service) {
	spec := &s.Spec
	defaultAffinity(spec)
	setDefaultText(&spec.Type, corev1.ServiceTypeClusterIP)
	for i := range spec.Ports {
		defaultServicePort(&spec.Ports[i])
	}
	if ExternallyAccessible(s) {
		setDefaultText(&spec.ExternalTrafficPolicy, corev1.ServiceExternalTrafficPolicyCluster)
	}
	switch spec.Type {
	case corev1.ServiceTypeLoadBalancer:
		setDefault(&spec.AllocateLoadBalancerNodePorts, true)
		defaultBalancer(&s.Status.LoadBalancer)
		fallthrough
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort:
		setDefault(&spec.InternalTrafficPolicy, corev1.ServiceInternalTrafficPolicyCluster)
	}
}

// defaultAffinity gives a service that keeps its clients to their pods a time for that, and takes it from others.
func defaultAffinity(spec *corev1.ServiceSpec) {
	setDefaultText(&spec.SessionAffinity, corev1.ServiceAffinityNone)
	switch c := spec.SessionAffinityConfig; spec.SessionAffinity {
	case corev1.ServiceAffinityNone:
		spec.SessionAffinityConfig = nil
	case corev1.ServiceAffinityClientIP:
		if c == nil || c.ClientIP == nil || c.ClientIP.TimeoutSeconds == nil {
			spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{
				ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: new(corev1.DefaultClientIPServiceAffinitySeconds)},
			}
		}
	}
}

func defaultServicePort(p *corev1.ServicePort) {
	setDefaultText(&p.Protocol, corev1.ProtocolTCP)
	if p.TargetPort == intstr.FromInt32(0) || p.TargetPort == intstr.FromString("") {
		p.TargetPort = intstr.FromInt32(p.Port)
	}
}

func defaultBalancer(status *corev1.LoadBalancerStatus) {
	for i := range status.Ingress {
		if point := &status.Ingress[i]; point.IP != "" {
			setDefault(&point.IPMode, corev1.LoadBalancerIPModeVIP)
		}
	}
}
