package quota

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
)

var services = schema.GroupResource{Resource: "services"}

// ofServices tells whether a name in a quota is about services.
func ofServices(name corev1.ResourceName) bool {
	switch name {
	case corev1.ResourceServices, corev1.ResourceServicesLoadBalancers, corev1.ResourceServicesNodePorts:
		return true
	}
	return false
}

// serviceUsage is what a service takes. Node ports count by what it will get.
func serviceUsage(service *corev1.Service) corev1.ResourceList {
	ports, balancers := 0, int64(0)
	switch service.Spec.Type {
	case corev1.ServiceTypeNodePort:
		ports = len(service.Spec.Ports)
	case corev1.ServiceTypeLoadBalancer:
		balancers = 1
		all := ptr.Deref(service.Spec.AllocateLoadBalancerNodePorts, true)
		for _, port := range service.Spec.Ports {
			if all || port.NodePort != 0 {
				ports++
			}
		}
	}
	return corev1.ResourceList{
		corev1.ResourceServices:              one(),
		corev1.ResourceServicesLoadBalancers: *resource.NewQuantity(balancers, resource.DecimalSI),
		corev1.ResourceServicesNodePorts:     *resource.NewQuantity(int64(ports), resource.DecimalSI),
	}
}
