package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateResources checks what a container asks for against what it may use at most.
func validateResources(r *corev1.ResourceRequirements, path *field.Path) field.ErrorList {
	limits, requests := path.Child("limits"), path.Child("requests")
	errs := validateQuantities(r.Limits, limits)
	errs = append(errs, validateQuantities(r.Requests, requests)...)
	for _, name := range slices.Sorted(maps.Keys(r.Requests)) {
		request := r.Requests[name]
		limit, limited := r.Limits[name]
		switch exact := !overcommitted(name); {
		case exact && !limited:
			errs = append(errs, field.Required(limits, "Limit must be set for non overcommitable resources"))
		case exact && request.Cmp(limit) != 0:
			errs = append(errs, field.Invalid(requests, request.String(), fmt.Sprintf("must be equal to %s limit of %s", name, limit.String())))
		case limited && request.Cmp(limit) > 0:
			errs = append(errs, field.Invalid(requests, request.String(), fmt.Sprintf("must be less than or equal to %s limit of %s", name, limit.String())))
		}
	}
	return errs
}

func validateQuantities(list corev1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(list)) {
		at := path.Key(string(name))
		errs = append(errs, validateResourceName(string(name), at)...)
		errs = append(errs, validateQuantity(name, list[name], at)...)
	}
	return errs
}

func validateResourceName(name string, path *field.Path) field.ErrorList {
	errs := invalid(path, name, validation.IsQualifiedName(name))
	if len(errs) > 0 || strings.Contains(name, "/") || standardForContainers(name) {
		return errs
	}
	if standard(name) {
		return field.ErrorList{field.Invalid(path, name, "must be a standard resource for containers")}
	}
	return field.ErrorList{
		field.Invalid(path, name, "must be a standard resource type or fully qualified"),
		field.Invalid(path, name, "must be a standard resource for containers"),
	}
}

func validateQuantity(name corev1.ResourceName, quantity resource.Quantity, path *field.Path) field.ErrorList {
	switch {
	case quantity.Sign() < 0:
		return field.ErrorList{field.Invalid(path, quantity.String(), "must be greater than or equal to 0").WithOrigin("minimum")}
	case countable(name) && quantity.MilliValue()%1000 != 0:
		return field.ErrorList{field.Invalid(path, quantity.String(), "must be an integer")}
	default:
		return nil
	}
}

func standardForContainers(name string) bool {
	switch corev1.ResourceName(name) {
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return true
	}
	return strings.HasPrefix(name, corev1.ResourceHugePagesPrefix)
}

// standard tells the names that Kubernetes itself gives a meaning, of nodes, quotas and volumes.
func standard(name string) bool {
	switch corev1.ResourceName(name) {
	case corev1.ResourcePods, corev1.ResourceStorage, corev1.ResourceServices, corev1.ResourceReplicationControllers,
		corev1.ResourceQuotas, corev1.ResourceSecrets, corev1.ResourceConfigMaps,
		corev1.ResourcePersistentVolumeClaims, corev1.ResourceServicesNodePorts, corev1.ResourceServicesLoadBalancers:
		return true
	}
	return strings.HasPrefix(name, "requests.") || strings.HasPrefix(name, "limits.")
}

// native tells the resources that are Kubernetes' own.
func native(name corev1.ResourceName) bool {
	return !strings.Contains(string(name), "/") || strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix)
}

// overcommitted tells the resources that more can be promised of than there is.
func overcommitted(name corev1.ResourceName) bool {
	return native(name) && !strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

// countable tells the resources of which there is no half: devices.
func countable(name corev1.ResourceName) bool {
	return strings.Contains(string(name), "/") && !overcommitted(name)
}
