package kind

import (
	"fmt"
	"maps"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validatePersistentVolume(pv *corev1.PersistentVolume) field.ErrorList {
	return append(validatePersistentVolumeSpec(&pv.Spec, pv.Name, field.NewPath("spec")), validateMountOptions(pv)...)
}

func validatePersistentVolumeSpec(s *corev1.PersistentVolumeSpec, name string, path *field.Path) field.ErrorList {
	errs := validateAccessModes(s.AccessModes, "", path.Child("accessModes"))
	errs = append(errs, validateCapacity(s.Capacity, path.Child("capacity"))...)
	errs = append(errs, maybeNamedOneOf(path.Child("persistentVolumeReclaimPolicy"), s.PersistentVolumeReclaimPolicy,
		corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRecycle, corev1.PersistentVolumeReclaimRetain)...)
	if a := s.NodeAffinity; a != nil && a.Required == nil {
		errs = append(errs, field.Required(path.Child("nodeAffinity", "required"), "must specify required node constraints"))
	} else if a != nil {
		errs = append(errs, validateNodeSelector(a.Required, path.Child("nodeAffinity", "required"))...)
	}
	errs = append(errs, validatePersistentSource(&s.PersistentVolumeSource, name, path)...)
	if s.Local != nil && s.NodeAffinity == nil {
		errs = append(errs, field.Required(path.Child("nodeAffinity"), "Local volume requires node affinity"))
	}
	errs = append(errs, noRecycledRoot(s, path)...)
	errs = append(errs, maybeNamed(path.Child("storageClassName"), s.StorageClassName, validation.IsDNS1123Subdomain)...)
	errs = append(errs, maybeOneOf(path.Child("volumeMode"), s.VolumeMode, corev1.PersistentVolumeBlock, corev1.PersistentVolumeFilesystem)...)
	return append(errs, validateAttributesClass(s, path)...)
}

// validateAccessModes checks that there are modes; missing is what to say where there are none.
func validateAccessModes(modes []corev1.PersistentVolumeAccessMode, missing string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(modes) == 0 {
		errs = append(errs, field.Required(path, missing))
	}
	supported := []corev1.PersistentVolumeAccessMode{corev1.ReadOnlyMany, corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadWriteOncePod}
	alone, others := false, false
	for _, mode := range modes {
		known := slices.Contains(supported, mode)
		if !known {
			errs = append(errs, field.NotSupported(path, mode, supported))
		}
		alone = alone || mode == corev1.ReadWriteOncePod
		others = others || known && mode != corev1.ReadWriteOncePod
	}
	if alone && others {
		errs = append(errs, field.Forbidden(path, "may not use ReadWriteOncePod with other access modes"))
	}
	return errs
}

// validateCapacity checks that a volume says how large it is, and nothing else.
func validateCapacity(capacity corev1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(capacity) == 0 {
		errs = append(errs, field.Required(path, ""))
	}
	if _, ok := capacity[corev1.ResourceStorage]; !ok || len(capacity) > 1 {
		errs = append(errs, field.NotSupported(path, capacity, []corev1.ResourceName{corev1.ResourceStorage}))
	}
	for _, name := range slices.Sorted(maps.Keys(capacity)) {
		errs = append(errs, notNegative(capacity[name], path.Key(string(name)))...)
		errs = append(errs, positive(capacity[name], path.Key(string(name)))...)
	}
	return errs
}

func notNegative(quantity resource.Quantity, path *field.Path) field.ErrorList {
	if quantity.Value() >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, quantity.Value(), "must be a valid resource quantity")}
}

func positive(quantity resource.Quantity, path *field.Path) field.ErrorList {
	if quantity.Sign() > 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, quantity.String(), "must be greater than zero")}
}

// noRecycledRoot keeps the whole of a machine from being wiped.
func noRecycledRoot(s *corev1.PersistentVolumeSpec, at *field.Path) field.ErrorList {
	if s.HostPath == nil || path.Clean(s.HostPath.Path) != "/" || s.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRecycle {
		return nil
	}
	return field.ErrorList{field.Forbidden(at.Child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'")}
}

func validateAttributesClass(s *corev1.PersistentVolumeSpec, path *field.Path) field.ErrorList {
	if s.VolumeAttributesClassName == nil {
		return nil
	}
	var errs field.ErrorList
	at := path.Child("volumeAttributesClassName")
	if name := *s.VolumeAttributesClassName; name == "" {
		errs = append(errs, field.Required(at, "an empty string is disallowed"))
	} else {
		errs = append(errs, invalid(at, name, validation.IsDNS1123Subdomain(name))...)
	}
	if s.CSI == nil {
		errs = append(errs, field.Required(path.Child("csi"), "has to be specified when using volumeAttributesClassName"))
	}
	return errs
}

func validateNodeSelector(s *corev1.NodeSelector, path *field.Path) field.ErrorList {
	at := path.Child("nodeSelectorTerms")
	if len(s.NodeSelectorTerms) == 0 {
		return field.ErrorList{field.Required(at, "must have at least one node selector term")}
	}
	var errs field.ErrorList
	for i := range s.NodeSelectorTerms {
		errs = append(errs, validateNodeTerm(&s.NodeSelectorTerms[i], at.Index(i))...)
	}
	return errs
}

// validatePersistentVolumeUpdate keeps where the data is, and which nodes reach it.
func validatePersistentVolumeUpdate(updated, old *corev1.PersistentVolume) field.ErrorList {
	source := updated.Spec.PersistentVolumeSource.DeepCopy()
	if was := old.Spec.CSI; was != nil && was.ControllerExpandSecretRef == nil && source.CSI != nil {
		source.CSI.ControllerExpandSecretRef = nil // may be given later
	}
	var errs field.ErrorList
	if !equality.Semantic.DeepEqual(source, &old.Spec.PersistentVolumeSource) {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "persistentvolumesource"),
			fmt.Sprintf("spec.persistentvolumesource is immutable after creation\n%v", diff.Diff(&old.Spec.PersistentVolumeSource, source))))
	}
	errs = append(errs, apivalidation.ValidateImmutableField(updated.Spec.VolumeMode, old.Spec.VolumeMode, field.NewPath("volumeMode"))...)
	if was := old.Spec.NodeAffinity; was != nil && !equality.Semantic.DeepEqual(updated.Spec.NodeAffinity, relabelled(was, updated.Spec.NodeAffinity)) {
		errs = append(errs, field.Invalid(field.NewPath("nodeAffinity"), updated.Spec.NodeAffinity,
			apivalidation.FieldImmutableErrorMsg+", except for updating from beta label to GA"))
	}
	if old.Spec.VolumeAttributesClassName != nil && updated.Spec.VolumeAttributesClassName == nil {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "volumeAttributesClassName"), "update from non-nil value to nil is forbidden"))
	}
	return errs
}

// relabelled is an affinity with the labels of today where the updated one has them: it may be moved to those.
func relabelled(old, updated *corev1.VolumeNodeAffinity) *corev1.VolumeNodeAffinity {
	if old.Required == nil || updated == nil || updated.Required == nil {
		return old
	}
	old = old.DeepCopy()
	for i := range min(len(old.Required.NodeSelectorTerms), len(updated.Required.NodeSelectorTerms)) {
		was, is := old.Required.NodeSelectorTerms[i].MatchExpressions, updated.Required.NodeSelectorTerms[i].MatchExpressions
		for j := range min(len(was), len(is)) {
			if now, ok := renamedLabels[was[j].Key]; ok && now.label == is[j].Key {
				was[j].Key = now.label
			}
		}
	}
	return old
}
