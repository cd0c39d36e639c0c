package kind

import (
	corev1 "k8s.io/api/core/v1"
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
		errs = append(errs, named(at.Child("key"), ref.Key, validation.IsRelaxedEnvVarName)...)
		errs = append(errs, named(at.Child("volumeName"), ref.VolumeName, validation.IsDNS1123Label)...)
		errs = append(errs, required(at.Child("path"), ref.Path)...)
		errs = append(errs, noBacksteps(ref.Path, at.Child("path"))...)
	}
	return append(errs, oneEnvSource(env, sources, path)...)
}

func oneEnvSource(env *corev1.EnvVar, sources int, path *field.Path) field.ErrorList {
	switch {
	case sources == 0:
		return field.ErrorList{field.Invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`")}
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

// validateEnvFiles checks that files of variables are in volumes that containers of the same pod write.
func validateEnvFiles(env []corev1.EnvVar, volumes volumeSet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, v := range env {
		if v.ValueFrom == nil || v.ValueFrom.FileKeyRef == nil {
			continue
		}
		at, name := path.Index(i).Child("valueFrom", "fileKeyRef", "volumeName"), v.ValueFrom.FileKeyRef.VolumeName
		switch source := volumes[name]; {
		case source == nil:
			errs = append(errs, field.NotFound(at, name))
		case source.EmptyDir == nil:
			errs = append(errs, field.Invalid(at, name, "referenced volume must be of type emptyDir"))
		}
	}
	return errs
}
