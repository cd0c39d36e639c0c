package kind

import (
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// These types are deprecated, and all the same a part of the API.
type (
	endpoints      = corev1.Endpoints      //nolint:staticcheck // see above
	endpointsList  = corev1.EndpointsList  //nolint:staticcheck // see above
	endpointSubset = corev1.EndpointSubset //nolint:staticcheck // see above
)

// Endpoints are the addresses behind a service, as they were listed before there were EndpointSlices.
var Endpoints = &Kind{
	GroupVersionKind: core("Endpoints"),
	Resource:         "endpoints",
	Singular:         "endpoints",
	ShortNames:       []string{"ep"},
	Namespaced:       true,
	New:              makes[endpoints](),
	NewList:          makes[endpointsList](),
	Deprecated:       "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",

	Default:        changes(defaultEndpoints),
	CreateOnUpdate: true,

	Validate: validates(validateEndpoints),
	Warnings: warns(endpointsWarnings),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Endpoints", "string", endpoints{}.SwaggerDoc()["subsets"]),
		ageColumn,
	},
	Row: prints(func(e *endpoints) []any {
		return []any{e.Name, endpointsText(e.Subsets), age(e)}
	}),
}

// The label and the value by which the endpoints controller marks what it writes, whose addresses need no warnings.
const (
	EndpointsManagedBy  = "endpoints.kubernetes.io/managed-by"
	EndpointsController = "endpoint-controller"
)

func defaultEndpoints(e *endpoints) {
	for i := range e.Subsets {
		for j := range e.Subsets[i].Ports {
			setDefaultText(&e.Subsets[i].Ports[j].Protocol, corev1.ProtocolTCP)
		}
	}
}

// endpointsText is the first few addresses that are ready, with their ports where there are any.
func endpointsText(subsets []endpointSubset) string {
	if len(subsets) == 0 {
		return none
	}
	var list firstFew
	for _, s := range subsets {
		if len(s.Ports) == 0 {
			for _, a := range s.Addresses {
				list.add(a.IP)
			}
		}
		for _, p := range s.Ports {
			for _, a := range s.Addresses {
				list.add(net.JoinHostPort(a.IP, strconv.Itoa(int(p.Port))))
			}
		}
	}
	return list.String()
}

func endpointsWarnings(e *endpoints) []string {
	if e.Labels[EndpointsManagedBy] == EndpointsController {
		return nil
	}
	var warnings []string
	for i, s := range e.Subsets {
		warnings = append(warnings, endpointWarnings(subsetsPath.Index(i).Child("addresses"), s.Addresses)...)
		warnings = append(warnings, endpointWarnings(subsetsPath.Index(i).Child("notReadyAddresses"), s.NotReadyAddresses)...)
	}
	return warnings
}
