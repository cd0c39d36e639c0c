package quota

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
	volumehelper "k8s.io/component-helpers/storage/volume"
	"k8s.io/utils/ptr"
)

var claims = schema.GroupResource{Resource: "persistentvolumeclaims"}

// classSuffix ends the name of a storage class in the names that limit what is claimed of it:
// gold.storageclass.storage.k8s.io/requests.storage.
const classSuffix = ".storageclass.storage.k8s.io/"

// ofClaims tells whether a name in a quota is about claims for storage.
func ofClaims(name corev1.ResourceName) bool {
	if _, of, found := strings.Cut(string(name), classSuffix); found {
		name = corev1.ResourceName(of)
	}
	return name == corev1.ResourcePersistentVolumeClaims || name == corev1.ResourceRequestsStorage
}

// claimUsage is what a claim takes, of all storage and of its class.
func claimUsage(claim *corev1.PersistentVolumeClaim) corev1.ResourceList {
	size := claimSize(claim)
	used := corev1.ResourceList{corev1.ResourcePersistentVolumeClaims: one(), corev1.ResourceRequestsStorage: size}
	if class := volumehelper.GetPersistentVolumeClaimClass(claim); class != "" {
		prefix := corev1.ResourceName(class + classSuffix)
		used[prefix+corev1.ResourcePersistentVolumeClaims] = one()
		used[prefix+corev1.ResourceRequestsStorage] = size
	}
	return used
}

// claimSize is what a claim asks for, in whole bytes, or has been given when that is more: growth that failed is kept.
func claimSize(claim *corev1.PersistentVolumeClaim) resource.Quantity {
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage].DeepCopy()
	size.RoundUp(0)
	if given, ok := claim.Status.AllocatedResources[corev1.ResourceStorage]; ok && given.Cmp(size) > 0 {
		return given.DeepCopy()
	}
	return size
}

// claimInScope tells whether a claim is of those that a scope is about: there is one about the attributes of volumes.
func claimInScope(claim *corev1.PersistentVolumeClaim, s corev1.ScopedResourceSelectorRequirement) bool {
	if s.ScopeName != corev1.ResourceQuotaScopeVolumeAttributesClass {
		return false
	}
	classes := []string{ptr.Deref(claim.Spec.VolumeAttributesClassName, ""), ptr.Deref(claim.Status.CurrentVolumeAttributesClassName, "")}
	if m := claim.Status.ModifyVolumeStatus; m != nil {
		classes = append(classes, m.TargetVolumeAttributesClassName)
	}
	classes = slices.DeleteFunc(classes, func(class string) bool { return class == "" })
	if len(classes) == 0 {
		return priorityMatches("", s)
	}
	return slices.ContainsFunc(classes, func(class string) bool { return priorityMatches(class, s) })
}
