package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validatePorts(ports []corev1.ContainerPort, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	names := unique[string]{}
	for i, p := range ports {
		at := path.Index(i)
		if p.Name != "" {
			wrong := invalid(at.Child("name"), p.Name, validation.IsValidPortName(p.Name))
			if len(wrong) == 0 {
				wrong = names.check(at.Child("name"), p.Name, p.Name)
			}
			errs = append(errs, wrong...)
		}
		if p.ContainerPort == 0 {
			errs = append(errs, field.Required(at.Child("containerPort"), ""))
		} else {
			errs = append(errs, portNumber(at.Child("containerPort"), p.ContainerPort)...)
		}
		if p.HostPort != 0 {
			errs = append(errs, portNumber(at.Child("hostPort"), p.HostPort)...)
		}
		errs = append(errs, oneOf(at.Child("protocol"), p.Protocol, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)...)
	}
	return errs
}

func portNumber(path *field.Path, port int32) field.ErrorList {
	return invalid(path, port, validation.IsValidPortNum(int(port)))
}

// hostNetworkPorts checks that, in the node's network, a port is the same port on the node.
func hostNetworkPorts(ports []corev1.ContainerPort, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, p := range ports {
		if p.HostPort != p.ContainerPort {
			errs = append(errs, field.Invalid(path.Index(i).Child("containerPort"), p.ContainerPort, "must match `hostPort` when `hostNetwork` is true"))
		}
	}
	return errs
}

// hostPortConflicts finds two containers that want the same port of the node.
func hostPortConflicts(containers []corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	taken := unique[string]{}
	for i, c := range containers {
		for j, p := range c.Ports {
			if p.HostPort != 0 {
				port := fmt.Sprintf("%s/%s/%d", p.Protocol, p.HostIP, p.HostPort)
				errs = append(errs, taken.check(path.Index(i).Child("ports").Index(j).Child("hostPort"), port, port)...)
			}
		}
	}
	return errs
}
