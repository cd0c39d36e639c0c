package kind

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateEnv(env []corev1.EnvVar, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range env {
		at := path.Index(i)
		errs = append(errs, named(at.Child("name"), env[i].Name, validation.IsRelaxedEnvVarName)...)
		if env[i].ValueFrom != nil {
			errs = append(errs, validateEnvSource(&env[i], at.Child("valueFrom"))...)
		}
	}
	return errs
}

func validateEnvSource(env *corev1.EnvVar, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	sources := 0
	if ref := env.ValueFrom.FieldRef; ref != nil {
		sources++
		errs = append(errs, validateFieldRef(ref, envFieldPaths, path.Child("fieldRef"))...)
	}
	if ref := env.ValueFrom.ResourceFieldRef; ref != nil {
		sources++
		errs = append(errs, validateResourceFieldRef(ref, path.Child("resourceFieldRef"))...)
	}
	if ref := env.ValueFrom.ConfigMapKeyRef; ref != nil {
		sources++
		errs = append(errs, validateKeyRef(ref.Name, ref.Key, path.Child("configMapKeyRef"))...)
	}
	if ref := env.ValueFrom.SecretKeyRef; ref != nil {
		sources++
		errs = append(errs, validateKeyRef(ref.Name, ref.Key, path.Child("secretKeyRef"))...)
	}
	if ref := env.ValueFrom.FileKeyRef; ref != nil {
		sources++
		at := path.Child("fileKeyRef")
		errs = append(errs, required(at.Child("key"), ref.Key)...)
		errs = append(errs, named(at.Child("volumeName"), ref.VolumeName, validation.IsDNS1123Label)...)
		errs = append(errs, validateRelativePath(ref.Path, at.Child("path"))...)
	}
	return append(errs, oneEnvSource(env, sources, path)...)
}

func oneEnvSource(env *corev1.EnvVar, sources int, path *field.Path) field.ErrorList {
	switch {
	case sources == 0:
		return field.ErrorList{field.Invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`")}
	case env.Value != "":
		return field.ErrorList{field.Invalid(path, "", "may not be specified when `value` is not empty")}
	case sources > 1:
		return field.ErrorList{field.Invalid(path, "", "may not have more than one field specified at a time")}
	default:
		return nil
	}
}

func validateEnvFrom(sources []corev1.EnvFromSource, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, source := range sources {
		at := path.Index(i)
		errs = append(errs, maybeNamed(at.Child("prefix"), source.Prefix, validation.IsRelaxedEnvVarName)...)
		given := 0
		if ref := source.ConfigMapRef; ref != nil {
			given++
			errs = append(errs, named(at.Child("configMapRef", "name"), ref.Name, validation.IsDNS1123Subdomain)...)
		}
		if ref := source.SecretRef; ref != nil {
			given++
			errs = append(errs, named(at.Child("secretRef", "name"), ref.Name, validation.IsDNS1123Subdomain)...)
		}
		if given == 0 {
			errs = append(errs, field.Invalid(at, "", "must specify one of: `configMapRef` or `secretRef`"))
		} else if given > 1 {
			errs = append(errs, field.Invalid(at, "", "may not have more than one field specified at a time"))
		}
	}
	return errs
}

func validateKeyRef(name, key string, path *field.Path) field.ErrorList {
	errs := named(path.Child("name"), name, validation.IsDNS1123Subdomain)
	return append(errs, named(path.Child("key"), key, validation.IsConfigMapKey)...)
}

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
	problem := ""
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
