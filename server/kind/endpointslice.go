package kind

import (
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// EndpointSlice is some of the addresses behind a service.
var EndpointSlice = &Kind{
	GroupVersionKind: discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"),
	Resource:         "endpointslices",
	Singular:         "endpointslice",
	Namespaced:       true,
	New:              makes[discoveryv1.EndpointSlice](),
	NewList:          makes[discoveryv1.EndpointSliceList](),

	Default:       changes(defaultEndpointSlice),
	PrepareCreate: changes(createEndpointSlice),
	PrepareUpdate: changesOver(updateEndpointSlice),

	Validate:       validates(validateEndpointSlice),
	ValidateUpdate: validatesOver(validateEndpointSliceUpdate),
	Warnings:       warns(endpointSliceWarnings),
	CreateWarnings: warns(func(s *discoveryv1.EndpointSlice) []string {
		if s.AddressType != discoveryv1.AddressTypeFQDN {
			return nil
		}
		return []string{"spec.addressType: FQDN endpoints are deprecated"}
	}),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("AddressType", "string", discoveryv1.EndpointSlice{}.SwaggerDoc()["addressType"]),
		column("Ports", "string", discoveryv1.EndpointSlice{}.SwaggerDoc()["ports"]),
		column("Endpoints", "string", discoveryv1.EndpointSlice{}.SwaggerDoc()["endpoints"]),
		ageColumn,
	},
	Row: prints(func(s *discoveryv1.EndpointSlice) []any {
		return []any{s.Name, string(s.AddressType), slicePortsText(s.Ports), sliceAddressesText(s.Endpoints), age(s)}
	}),
}

// EndpointSliceController is who manages the slices of services with a selector, as discoveryv1.LabelManagedBy tells.
const EndpointSliceController = "endpointslice-controller.k8s.io"

func defaultEndpointSlice(s *discoveryv1.EndpointSlice) {
	for i := range s.Ports {
		setDefault(&s.Ports[i].Name, "")
		setDefault(&s.Ports[i].Protocol, corev1.ProtocolTCP)
	}
}

func createEndpointSlice(s *discoveryv1.EndpointSlice) {
	s.Generation = 1
	dropTopology(s)
}

// updateEndpointSlice counts all but annotations and the like as a new generation.
func updateEndpointSlice(updated, old *discoveryv1.EndpointSlice) {
	dropTopology(updated)
	updated.Generation = old.Generation
	same := updated.AddressType == old.AddressType && maps.Equal(updated.Labels, old.Labels) &&
		equality.Semantic.DeepEqual(updated.Endpoints, old.Endpoints) && equality.Semantic.DeepEqual(updated.Ports, old.Ports)
	if !same {
		updated.Generation++
	}
}

// dropTopology takes away what only an earlier version of the API could write.
func dropTopology(s *discoveryv1.EndpointSlice) {
	for i := range s.Endpoints {
		s.Endpoints[i].DeprecatedTopology = nil
	}
}

func slicePortsText(ports []discoveryv1.EndpointPort) string {
	var list firstFew
	for _, p := range ports {
		switch {
		case p.Port != nil:
			list.add(strconv.Itoa(int(*p.Port)))
		case p.Name != nil:
			list.add(*p.Name)
		default:
			list.add("*")
		}
	}
	return or(list.String(), unset)
}

func sliceAddressesText(endpoints []discoveryv1.Endpoint) string {
	var list firstFew
	for _, e := range endpoints {
		for _, address := range e.Addresses {
			list.add(address)
		}
	}
	return or(list.String(), unset)
}

// endpointSliceWarnings tell of addresses that are written in an unusual way, but not to the controllers that write most.
func endpointSliceWarnings(s *discoveryv1.EndpointSlice) []string {
	if s.Labels[discoveryv1.LabelManagedBy] == EndpointSliceController {
		return nil
	}
	var warnings []string
	for i, e := range s.Endpoints {
		if s.AddressType == discoveryv1.AddressTypeFQDN {
			break
		}
		for j, address := range e.Addresses {
			at := field.NewPath("endpoints").Index(i).Child("addresses").Index(j)
			warnings = append(warnings, validation.GetWarningsForIP(at, address)...)
		}
	}
	return warnings
}
