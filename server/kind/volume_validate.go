package kind

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeSet is the volumes that containers can mount, by name.
type volumeSet map[string]*corev1.VolumeSource

func validateVolumes(volumes []corev1.Volume, path *field.Path) (volumeSet, field.ErrorList) {
	var errs field.ErrorList
	names := unique[string]{}
	set := volumeSet{}
	for i := range volumes {
		v, at := &volumes[i], path.Index(i)
		errs = append(errs, validateVolumeSource(&v.VolumeSource, at)...)
		wrong := named(at.Child("name"), v.Name, validation.IsDNS1123Label)
		if len(wrong) == 0 {
			wrong = names.check(at.Child("name"), v.Name, v.Name)
		}
		if len(wrong) == 0 {
			set[v.Name] = &v.VolumeSource
		}
		errs = append(errs, wrong...)
	}
	return set, errs
}

// validateVolumeSource checks the source that is given, and that it is the only one.
func validateVolumeSource(v *corev1.VolumeSource, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	var given []string
	for _, source := range sourcesOf(v) {
		given = append(given, source.name)
		if source.validate != nil {
			errs = append(errs, source.validate(path.Child(source.name))...)
		}
	}
	return append(errs, exactlyOne(path, "volume type", given)...)
}

func validateHostPath(v *corev1.HostPathVolumeSource, at *field.Path) field.ErrorList {
	errs := required(at.Child("path"), v.Path)
	errs = append(errs, noBacksteps(v.Path, at.Child("path"))...)
	return append(errs, maybeOneOf(at.Child("type"), v.Type, corev1.HostPathUnset, corev1.HostPathBlockDev, corev1.HostPathCharDev,
		corev1.HostPathDirectory, corev1.HostPathDirectoryOrCreate, corev1.HostPathFile, corev1.HostPathFileOrCreate, corev1.HostPathSocket)...)
}

func validateEmptyDir(v *corev1.EmptyDirVolumeSource, at *field.Path) field.ErrorList {
	if v.SizeLimit != nil && v.SizeLimit.Sign() < 0 {
		return field.ErrorList{field.Forbidden(at.Child("sizeLimit"), "SizeLimit field must be a valid resource quantity")}
	}
	return nil
}

// validateItems checks which keys become which files.
func validateItems(items []corev1.KeyToPath, mode *int32, at *field.Path) field.ErrorList {
	errs := fileMode(mode, at.Child("defaultMode"))
	for i, item := range items {
		at := at.Child("items").Index(i)
		errs = append(errs, required(at.Child("key"), item.Key)...)
		errs = append(errs, itemPath(item.Path, at.Child("path"))...)
		errs = append(errs, fileMode(item.Mode, at.Child("mode"))...)
	}
	return errs
}

func fileMode(mode *int32, at *field.Path) field.ErrorList {
	if mode == nil || (*mode >= 0 && *mode <= 0o777) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, *mode, "must be a number between 0 and 0777 (octal), both inclusive")}
}

// itemPath checks where in a volume a file goes. Names that start with two dots are the volume's own.
func itemPath(file string, at *field.Path) field.ErrorList {
	if file == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	errs := validateRelativePath(file, at)
	if strings.HasPrefix(file, "..") && !strings.HasPrefix(file, "../") {
		errs = append(errs, field.Invalid(at, file, "must not start with '..'"))
	}
	return errs
}

// validateRelativePath checks that a path stays below where it starts.
func validateRelativePath(file string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if path.IsAbs(file) {
		errs = append(errs, field.Invalid(at, file, "must be a relative path"))
	}
	return append(errs, noBacksteps(file, at)...)
}

func noBacksteps(file string, at *field.Path) field.ErrorList {
	for _, part := range strings.Split(file, "/") {
		if part == ".." {
			return field.ErrorList{field.Invalid(at, file, "must not contain '..'")}
		}
	}
	return nil
}
