package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validateMounts checks where a container sees which volumes, and the raw devices beside them.
func validateMounts(c *corev1.Container, volumes volumeSet, path *field.Path) field.ErrorList {
	devices := map[string]bool{}
	for _, d := range c.VolumeDevices {
		devices[d.Name] = true
	}
	var errs field.ErrorList
	places := map[string]bool{}
	for i := range c.VolumeMounts {
		m, at := &c.VolumeMounts[i], path.Child("volumeMounts").Index(i)
		errs = append(errs, required(at.Child("name"), m.Name)...)
		if volumes[m.Name] == nil {
			errs = append(errs, field.NotFound(at.Child("name"), m.Name))
		}
		errs = append(errs, required(at.Child("mountPath"), m.MountPath)...)
		if places[m.MountPath] {
			errs = append(errs, field.Invalid(at.Child("mountPath"), m.MountPath, "must be unique"))
		}
		places[m.MountPath] = true
		if devices[m.Name] {
			errs = append(errs, field.Invalid(at.Child("name"), m.Name, "must not already exist in volumeDevices"))
		}
		errs = append(errs, validateMount(m, c.SecurityContext, at)...)
	}
	return append(errs, validateDevices(c.VolumeDevices, volumes, path.Child("volumeDevices"))...)
}

func validateMount(m *corev1.VolumeMount, security *corev1.SecurityContext, at *field.Path) field.ErrorList {
	errs := validateRelativePath(m.SubPath, at.Child("subPath"))
	if m.SubPathExpr != "" {
		if m.SubPath != "" {
			errs = append(errs, field.Invalid(at.Child("subPathExpr"), m.SubPathExpr, "subPathExpr and subPath are mutually exclusive"))
		}
		errs = append(errs, validateRelativePath(m.SubPathExpr, at.Child("subPathExpr"))...)
	}
	errs = append(errs, maybeOneOf(at.Child("mountPropagation"), m.MountPropagation,
		corev1.MountPropagationBidirectional, corev1.MountPropagationHostToContainer, corev1.MountPropagationNone)...)
	privileged := security != nil && ptr.Deref(security.Privileged, false)
	if ptr.Deref(m.MountPropagation, "") == corev1.MountPropagationBidirectional && !privileged {
		errs = append(errs, field.Forbidden(at.Child("mountPropagation"), "Bidirectional mount propagation is available only to privileged containers"))
	}
	errs = append(errs, maybeOneOf(at.Child("recursiveReadOnly"), m.RecursiveReadOnly,
		corev1.RecursiveReadOnlyDisabled, corev1.RecursiveReadOnlyEnabled, corev1.RecursiveReadOnlyIfPossible)...)
	return append(errs, validateRecursiveReadOnly(m, at.Child("recursiveReadOnly"))...)
}

// validateRecursiveReadOnly checks that what is to be read-only all the way down is so at the top, and shut off.
func validateRecursiveReadOnly(m *corev1.VolumeMount, at *field.Path) field.ErrorList {
	if mode := ptr.Deref(m.RecursiveReadOnly, ""); mode != corev1.RecursiveReadOnlyEnabled && mode != corev1.RecursiveReadOnlyIfPossible {
		return nil
	}
	var errs field.ErrorList
	if !m.ReadOnly {
		errs = append(errs, field.Forbidden(at, "may only be specified when readOnly is true"))
	}
	if ptr.Deref(m.MountPropagation, corev1.MountPropagationNone) != corev1.MountPropagationNone {
		errs = append(errs, field.Forbidden(at, "may only be specified when mountPropagation is None or not specified"))
	}
	return errs
}

func validateDevices(devices []corev1.VolumeDevice, volumes volumeSet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	names, places := map[string]bool{}, map[string]bool{}
	for i, d := range devices {
		at := path.Index(i)
		errs = append(errs, required(at.Child("name"), d.Name)...)
		if names[d.Name] {
			errs = append(errs, field.Invalid(at.Child("name"), d.Name, "must be unique"))
		}
		names[d.Name] = true
		switch source := volumes[d.Name]; {
		case source == nil:
			errs = append(errs, field.NotFound(at.Child("name"), d.Name))
		case source.PersistentVolumeClaim == nil && source.Ephemeral == nil:
			errs = append(errs, field.Invalid(at.Child("name"), d.Name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"))
		}
		errs = append(errs, required(at.Child("devicePath"), d.DevicePath)...)
		if len(noBacksteps(d.DevicePath, at)) > 0 {
			errs = append(errs, field.Invalid(at.Child("devicePath"), d.DevicePath, "can not contain backsteps ('..')"))
		}
		if places[d.DevicePath] {
			errs = append(errs, field.Invalid(at.Child("devicePath"), d.DevicePath, "must be unique"))
		}
		places[d.DevicePath] = true
	}
	return errs
}
