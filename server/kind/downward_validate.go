package kind

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The fields of a pod that its containers can be told of, sorted.
var (
	envFieldPaths = []string{
		"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
		"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
	}
	volumeFieldPaths = []string{
		"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
	}
	// podFieldPaths are all that name something, although not everywhere.
	podFieldPaths = slices.Concat(envFieldPaths, volumeFieldPaths, []string{"spec.restartPolicy", "spec.schedulerName", "status.phase"})

	containerResources = []string{
		"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
	}
)

func validateFieldRef(ref *corev1.ObjectFieldSelector, allowed []string, path *field.Path) field.ErrorList {
	if ref.APIVersion == "" {
		return field.ErrorList{field.Required(path.Child("apiVersion"), "")}
	}
	at := path.Child("fieldPath")
	if ref.FieldPath == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	base, key, subscripted := strings.Cut(strings.TrimSuffix(ref.FieldPath, "']"), "['")
	keyed := base == "metadata.annotations" || base == "metadata.labels"
	var problem string
	switch {
	case ref.APIVersion != "v1":
		problem = "unsupported pod version: " + ref.APIVersion
	case subscripted && !keyed:
		problem = "field label does not support subscript: " + ref.FieldPath
	case !subscripted && !slices.Contains(podFieldPaths, base):
		problem = "field label not supported: " + ref.FieldPath
	case !subscripted:
		return maybeOneOf(at, &ref.FieldPath, allowed...)
	case base == "metadata.annotations":
		return invalid(path, strings.ToLower(key), validation.IsQualifiedName(strings.ToLower(key)))
	default:
		return invalid(path, key, validation.IsQualifiedName(key))
	}
	return field.ErrorList{field.Invalid(at, ref.FieldPath, "error converting fieldPath: "+problem)}
}

// validateResourceFieldRef checks a reference to a container's requests or limits, and the unit it is given in.
func validateResourceFieldRef(ref *corev1.ResourceFieldSelector, path *field.Path) field.ErrorList {
	if ref.Resource == "" {
		return field.ErrorList{field.Required(path.Child("resource"), "")}
	}
	_, name, _ := strings.Cut(ref.Resource, ".")
	if !strings.HasPrefix(name, corev1.ResourceHugePagesPrefix) {
		if errs := maybeOneOf(path.Child("resource"), &ref.Resource, containerResources...); errs != nil {
			return errs
		}
	}
	return validateDivisor(name, ref.Divisor, path)
}

func validateDivisor(name string, divisor resource.Quantity, path *field.Path) field.ErrorList {
	allowed := []string{"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"}
	if name == string(corev1.ResourceCPU) {
		allowed = []string{"1m", "1"}
	}
	if divisor.IsZero() {
		return nil
	}
	for _, d := range allowed {
		if divisor.Cmp(resource.MustParse(d)) == 0 {
			return nil
		}
	}
	unit := strings.Join(allowed, ", ")
	return field.ErrorList{field.Invalid(path.Child("divisor"), divisor.String(), "only divisor's values "+unit+" are supported with the "+name+" resource")}
}

// validateDownward checks the files of a volume that hold fields of the pod.
func validateDownward(items []corev1.DownwardAPIVolumeFile, mode *int32, at *field.Path) field.ErrorList {
	errs := fileMode(mode, at.Child("defaultMode"))
	for i, item := range items {
		// Kubernetes names the volume, not the item, as the place of these causes.
		errs = append(errs, itemPath(item.Path, at.Child("path"))...)
		errs = append(errs, fileMode(item.Mode, at.Child("mode"))...)
		switch {
		case item.FieldRef != nil && item.ResourceFieldRef != nil:
			errs = append(errs, field.Invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
		case item.FieldRef != nil:
			errs = append(errs, validateFieldRef(item.FieldRef, volumeFieldPaths, at.Child("fieldRef"))...)
		case item.ResourceFieldRef != nil:
			errs = append(errs, required(at.Child("resourceFieldRef", "containerName"), item.ResourceFieldRef.ContainerName)...)
			errs = append(errs, validateResourceFieldRef(item.ResourceFieldRef, at.Child("resourceFieldRef"))...)
		default:
			errs = append(errs, field.Required(at.Child("items").Index(i), "one of fieldRef and resourceFieldRef is required"))
		}
	}
	return errs
}
