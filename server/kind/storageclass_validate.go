package kind

import (
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateStorageClass(sc *storagev1.StorageClass) field.ErrorList {
	errs := named(field.NewPath("provisioner"), sc.Provisioner, func(name string) []string {
		return validation.IsQualifiedName(strings.ToLower(name))
	})
	errs = append(errs, validateParameters(sc.Parameters, field.NewPath("parameters"))...)
	if p := sc.ReclaimPolicy; p != nil {
		errs = append(errs, maybeNamedOneOf(field.NewPath("reclaimPolicy"), *p,
			corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRetain)...)
	}
	if mode := field.NewPath("volumeBindingMode"); sc.VolumeBindingMode == nil {
		errs = append(errs, field.Required(mode, ""))
	} else {
		errs = append(errs, maybeOneOf(mode, sc.VolumeBindingMode, storagev1.VolumeBindingImmediate, storagev1.VolumeBindingWaitForFirstConsumer)...)
	}
	return append(errs, validateTopologies(sc.AllowedTopologies, field.NewPath("allowedTopologies"))...)
}

// How many parameters a class may have, and how many bytes they may be together.
const (
	maxParameters     = 512
	maxParameterBytes = 256 * 1024
)

func validateParameters(parameters map[string]string, path *field.Path) field.ErrorList {
	if len(parameters) > maxParameters {
		return field.ErrorList{field.TooLong(path, "", maxParameters)}
	}
	var errs field.ErrorList
	if _, ok := parameters[""]; ok {
		errs = append(errs, field.Invalid(path, "", "field can not be empty."))
	}
	if bytesOf(parameters) > maxParameterBytes {
		errs = append(errs, field.TooLong(path, "", maxParameterBytes))
	}
	return errs
}

// bytesOf is the size of all keys and values.
func bytesOf(list map[string]string) int {
	size := 0
	for key, value := range list {
		size += len(key) + len(value)
	}
	return size
}

// validateTopologies checks where volumes of a class may be made; no term may be there twice.
func validateTopologies(terms []corev1.TopologySelectorTerm, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	var seen []map[string]sets.Set[string]
	for i, term := range terms {
		at := path.Index(i).Child("matchLabelExpressions")
		values := map[string]sets.Set[string]{}
		for j, r := range term.MatchLabelExpressions {
			errs = append(errs, validateTopology(r, at.Index(j))...)
			if _, ok := values[r.Key]; ok {
				errs = append(errs, field.Duplicate(at.Index(j).Child("key"), r.Key))
			}
			values[r.Key] = sets.New(r.Values...)
		}
		for _, other := range seen {
			if reflect.DeepEqual(values, other) {
				errs = append(errs, field.Duplicate(at, ""))
			}
		}
		seen = append(seen, values)
	}
	return errs
}

func validateTopology(r corev1.TopologySelectorLabelRequirement, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(r.Values) == 0 {
		errs = append(errs, field.Required(path.Child("values"), ""))
	}
	values := unique[string]{}
	for i, value := range r.Values {
		errs = append(errs, values.check(path.Child("values").Index(i), value, value)...)
	}
	return append(errs, metav1validation.ValidateLabelName(r.Key, path.Child("key"))...)
}

func validateStorageClassUpdate(updated, old *storagev1.StorageClass) field.ErrorList {
	var errs field.ErrorList
	for _, f := range []struct {
		name         string
		updated, old any
	}{
		{"parameters", updated.Parameters, old.Parameters},
		{"provisioner", updated.Provisioner, old.Provisioner},
		{"reclaimPolicy", updated.ReclaimPolicy, old.ReclaimPolicy},
		{"volumeBindingMode", updated.VolumeBindingMode, old.VolumeBindingMode},
	} {
		errs = append(errs, apivalidation.ValidateImmutableField(f.updated, f.old, field.NewPath(f.name))...)
	}
	return errs
}

func storageClassWarnings(sc *storagev1.StorageClass) []string {
	var warnings []string
	for i, term := range sc.AllowedTopologies {
		for j, r := range term.MatchLabelExpressions {
			if old := oldLabel(r.Key); old != "" {
				at := field.NewPath("allowedTopologies").Index(i).Child("matchLabelExpressions").Index(j).Child("key")
				warnings = append(warnings, fmt.Sprintf("%s: %s", at, old))
			}
		}
	}
	return warnings
}
