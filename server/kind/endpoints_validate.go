package kind

import (
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var subsetsPath = field.NewPath("subsets")

func validateEndpoints(e *endpoints) field.ErrorList {
	var errs field.ErrorList
	for i := range e.Subsets {
		errs = append(errs, validateSubset(&e.Subsets[i], subsetsPath.Index(i))...)
	}
	return errs
}

func validateSubset(s *endpointSubset, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.Addresses)+len(s.NotReadyAddresses) == 0 {
		errs = append(errs, field.Required(path, "must specify `addresses` or `notReadyAddresses`"))
	}
	errs = append(errs, validateEndpointAddresses(s.Addresses, path.Child("addresses"))...)
	errs = append(errs, validateEndpointAddresses(s.NotReadyAddresses, path.Child("notReadyAddresses"))...)
	for i := range s.Ports {
		p, at := &s.Ports[i], path.Child("ports").Index(i)
		if p.Name != "" || len(s.Ports) > 1 {
			errs = append(errs, named(at.Child("name"), p.Name, validation.IsDNS1123Label)...)
		}
		errs = append(errs, portNumber(at.Child("port"), p.Port)...)
		errs = append(errs, protocol(at.Child("protocol"), p.Protocol)...)
		errs = append(errs, appProtocol(at.Child("appProtocol"), p.AppProtocol)...)
	}
	return errs
}

func validateEndpointAddresses(addresses []corev1.EndpointAddress, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range addresses {
		a, at := &addresses[i], path.Index(i)
		errs = append(errs, validation.IsValidIPForLegacyField(at.Child("ip"), a.IP, true, nil)...)
		errs = append(errs, maybeNamed(at.Child("hostname"), a.Hostname, validation.IsDNS1123Label)...)
		errs = append(errs, maybeNode(at.Child("nodeName"), a.NodeName)...)
		errs = append(errs, routableAddress(at.Child("ip"), a.IP)...)
	}
	return errs
}

// maybeNode checks a node's name that may be left out.
func maybeNode(path *field.Path, name *string) field.ErrorList {
	if name == nil {
		return nil
	}
	return invalid(path, *name, apivalidation.NameIsDNSSubdomain(*name, false))
}

func endpointWarnings(path *field.Path, addresses []corev1.EndpointAddress) []string {
	var warnings []string
	for i := range addresses {
		warnings = append(warnings, validation.GetWarningsForIP(path.Index(i).Child("ip"), addresses[i].IP)...)
	}
	return warnings
}
