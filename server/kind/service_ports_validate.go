package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateServicePorts(ports []corev1.ServicePort, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	names := unique[string]{}
	for i := range ports {
		p, at := &ports[i], path.Index(i)
		switch {
		case p.Name != "":
			errs = append(errs, invalid(at.Child("name"), p.Name, validation.IsDNS1123Label(p.Name))...)
			errs = append(errs, names.check(at.Child("name"), p.Name, p.Name)...)
		case len(ports) > 1:
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
		errs = append(errs, portNumber(at.Child("port"), p.Port)...)
		errs = append(errs, protocol(at.Child("protocol"), p.Protocol)...)
		errs = append(errs, portOrName(p.TargetPort, at.Child("targetPort"))...)
		errs = append(errs, appProtocol(at.Child("appProtocol"), p.AppProtocol)...)
	}
	return errs
}

func protocol(path *field.Path, p corev1.Protocol) field.ErrorList {
	return oneOf(path, p, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)
}

func appProtocol(path *field.Path, p *string) field.ErrorList {
	if p == nil {
		return nil
	}
	return invalid(path, *p, validation.IsQualifiedName(*p))
}

// validateNodePorts checks that only services that are open on nodes ask for ports there, and for each port once.
func validateNodePorts(s *corev1.Service, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Spec.Type == corev1.ServiceTypeClusterIP {
		for i, p := range s.Spec.Ports {
			if p.NodePort != 0 {
				errs = append(errs, field.Forbidden(path.Index(i).Child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
			}
		}
	}
	taken := unique[corev1.ServicePort]{}
	for i, p := range s.Spec.Ports {
		if p.NodePort != 0 {
			key := corev1.ServicePort{Protocol: p.Protocol, NodePort: p.NodePort}
			errs = append(errs, taken.check(path.Index(i).Child("nodePort"), key, p.NodePort)...)
		}
	}
	return errs
}

// uniquePorts checks that no two ports have the same number and protocol.
func uniquePorts(ports []corev1.ServicePort, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	taken := unique[corev1.ServicePort]{}
	for i, p := range ports {
		key := corev1.ServicePort{Protocol: p.Protocol, Port: p.Port}
		errs = append(errs, taken.check(path.Index(i), key, key)...)
	}
	return errs
}
