package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

const (
	maxSliceEndpoints    = 1000
	maxEndpointAddresses = 100
	maxEndpointTopology  = 16
	maxSlicePorts        = 20000
	maxHints             = 8
)

func validateEndpointSlice(s *discoveryv1.EndpointSlice) field.ErrorList {
	errs := oneOf(field.NewPath("addressType"), s.AddressType,
		discoveryv1.AddressTypeFQDN, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6)
	errs = append(errs, validateSlicePorts(s.Ports, field.NewPath("ports"))...)
	path := field.NewPath("endpoints")
	if len(s.Endpoints) > maxSliceEndpoints {
		return append(errs, field.TooMany(path, len(s.Endpoints), maxSliceEndpoints))
	}
	for i := range s.Endpoints {
		errs = append(errs, validateEndpoint(&s.Endpoints[i], s.AddressType, path.Index(i))...)
	}
	return errs
}

func validateEndpointSliceUpdate(updated, old *discoveryv1.EndpointSlice) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.AddressType, old.AddressType, field.NewPath("addressType"))
}

func validateSlicePorts(ports []discoveryv1.EndpointPort, path *field.Path) field.ErrorList {
	if len(ports) > maxSlicePorts {
		return field.ErrorList{field.TooMany(path, len(ports), maxSlicePorts)}
	}
	var errs field.ErrorList
	names := unique[string]{}
	for i := range ports {
		p, at := &ports[i], path.Index(i)
		if p.Name != nil {
			errs = append(errs, maybeNamed(at.Child("name"), *p.Name, validation.IsDNS1123Label)...)
			errs = append(errs, names.check(at.Child("name"), *p.Name, *p.Name)...)
		}
		if p.Protocol == nil {
			errs = append(errs, field.Required(at.Child("protocol"), ""))
		} else {
			errs = append(errs, maybeOneOf(at.Child("protocol"), p.Protocol, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)...)
		}
		errs = append(errs, appProtocol(at.Child("appProtocol"), p.AppProtocol)...)
	}
	return errs
}

func validateEndpoint(e *discoveryv1.Endpoint, kind discoveryv1.AddressType, path *field.Path) field.ErrorList {
	errs := validateSliceAddresses(e.Addresses, kind, path.Child("addresses"))
	errs = append(errs, maybeNode(path.Child("nodeName"), e.NodeName)...)
	topology := path.Child("deprecatedTopology")
	if len(e.DeprecatedTopology) > maxEndpointTopology {
		errs = append(errs, field.TooMany(topology, len(e.DeprecatedTopology), maxEndpointTopology))
	}
	errs = append(errs, metav1validation.ValidateLabels(e.DeprecatedTopology, topology)...)
	if e.Hostname != nil {
		errs = append(errs, invalid(path.Child("hostname"), *e.Hostname, validation.IsDNS1123Label(*e.Hostname))...)
	}
	if e.Hints != nil {
		errs = append(errs, validateHints(e.Hints, path.Child("hints"))...)
	}
	return errs
}

func validateSliceAddresses(addresses []string, kind discoveryv1.AddressType, path *field.Path) field.ErrorList {
	switch {
	case len(addresses) == 0:
		return field.ErrorList{field.Required(path, "")}
	case len(addresses) > maxEndpointAddresses:
		return field.ErrorList{field.TooMany(path, len(addresses), maxEndpointAddresses)}
	}
	var errs field.ErrorList
	for i, address := range addresses {
		at := path.Index(i)
		switch kind {
		case discoveryv1.AddressTypeIPv4:
			errs = append(errs, addressOf(netutils.IsIPv4String, "an IPv4", address, path, at,
				validation.IsValidIPForLegacyField(at, address, true, nil))...)
		case discoveryv1.AddressTypeIPv6:
			errs = append(errs, addressOf(netutils.IsIPv6String, "an IPv6", address, path, at, validation.IsValidIP(at, address))...)
		case discoveryv1.AddressTypeFQDN:
			errs = append(errs, validation.IsFullyQualifiedDomainName(at, address)...)
		}
	}
	return errs
}

// addressOf checks an address of one family, unless it is wrong anyway.
func addressOf(isOf func(string) bool, family, address string, path, at *field.Path, wrong field.ErrorList) field.ErrorList {
	if len(wrong) > 0 {
		return wrong
	}
	var errs field.ErrorList
	if !isOf(address) {
		errs = append(errs, field.Invalid(path, address, fmt.Sprintf("must be %s address", family)))
	}
	return append(errs, routableAddress(at, address)...)
}

// validateHints checks for which zones and nodes an endpoint is meant.
func validateHints(h *discoveryv1.EndpointHints, path *field.Path) field.ErrorList {
	zones, nodes := make([]string, len(h.ForZones)), make([]string, len(h.ForNodes))
	for i, zone := range h.ForZones {
		zones[i] = zone.Name
	}
	for i, node := range h.ForNodes {
		nodes[i] = node.Name
	}
	errs := validateHintNames(zones, validation.IsValidLabelValue, path.Child("forZones"))
	nodeName := func(name string) []string { return apivalidation.NameIsDNSSubdomain(name, false) }
	return append(errs, validateHintNames(nodes, nodeName, path.Child("forNodes"))...)
}

func validateHintNames(names []string, check func(string) []string, path *field.Path) field.ErrorList {
	if len(names) > maxHints {
		return field.ErrorList{field.TooMany(path, len(names), maxHints)}
	}
	var errs field.ErrorList
	seen := unique[string]{}
	for i, name := range names {
		at := path.Index(i).Child("name")
		errs = append(errs, seen.check(at, name, name)...)
		errs = append(errs, invalid(at, name, check(name))...)
	}
	return errs
}
