package kind

import (
	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// defaultPod fills in what a template leaves open until a pod is made from it, too.
func defaultPod(p *corev1.Pod) {
	defaultPodSpec(&p.Spec)
	setDefault(&p.Spec.EnableServiceLinks, true)
	for c := range containers(&p.Spec) {
		defaultRequests(&c.Resources)
		if p.Spec.HostNetwork {
			defaultHostPorts(c.Ports)
		}
	}
	defaultPodRequests(p)
	defaultPodAddresses(&p.Status)
}

// defaultPodSpec fills in a pod's spec, and a template's.
func defaultPodSpec(s *corev1.PodSpec) {
	setDefaultText(&s.RestartPolicy, corev1.RestartPolicyAlways)
	setDefaultText(&s.DNSPolicy, corev1.DNSClusterFirst)
	setDefaultText(&s.SchedulerName, corev1.DefaultSchedulerName)
	setDefault(&s.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	setDefault(&s.SecurityContext, corev1.PodSecurityContext{})
	// serviceAccount is the older name of serviceAccountName; both are served.
	setDefaultText(&s.ServiceAccountName, s.DeprecatedServiceAccount)
	s.DeprecatedServiceAccount = s.ServiceAccountName

	// What v1.37 drops as long as its feature gate is off, which it is by default: GenericWorkload, EvictionRequestAPI.
	s.SchedulingGroup, s.EvictionResponders = nil, nil

	roundResources(s.Overhead)
	for i := range s.Volumes {
		defaultVolume(&s.Volumes[i].VolumeSource)
	}
	for c := range containers(s) {
		defaultContainer(c)
	}
	for i := range s.EphemeralContainers {
		defaultContainer((*corev1.Container)(&s.EphemeralContainers[i].EphemeralContainerCommon))
	}
}

// defaultRequests asks for as much as a container may use at most.
func defaultRequests(r *corev1.ResourceRequirements) {
	for name, limit := range r.Limits {
		if _, ok := r.Requests[name]; ok {
			continue
		}
		if r.Requests == nil {
			r.Requests = corev1.ResourceList{}
		}
		r.Requests[name] = limit.DeepCopy()
	}
}

// defaultHostPorts: in the node's network a container's port is the node's port.
func defaultHostPorts(ports []corev1.ContainerPort) {
	for i := range ports {
		setDefaultText(&ports[i].HostPort, ports[i].ContainerPort)
	}
}

// defaultPodRequests asks for what the containers ask for together or, where they do not ask, for the pod's limit.
func defaultPodRequests(p *corev1.Pod) {
	r := p.Spec.Resources
	if r == nil {
		return
	}
	ofContainers := resourcehelper.AggregateContainerRequests(p, resourcehelper.PodResourcesOptions{})
	for name, quantity := range ofContainers {
		_, stated := r.Requests[name]
		if stated || !resourcehelper.IsSupportedPodLevelResource(name) {
			continue
		}
		if r.Requests == nil {
			r.Requests = corev1.ResourceList{}
		}
		r.Requests[name] = quantity
	}
	defaultRequests(r)
}
