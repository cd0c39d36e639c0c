package kind

import (
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// maxDataBytes is how much a ConfigMap or a Secret may hold.
const maxDataBytes = 1 << 20

// validateKeys checks the keys of a ConfigMap's or a Secret's data.
func validateKeys[T any](data map[string]T, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(data)) {
		errs = append(errs, invalid(path.Key(key), key, validation.IsConfigMapKey(key))...)
	}
	return errs
}

// sizeOf is the bytes of all values.
func sizeOf[T ~string | ~[]byte](data map[string]T) int {
	total := 0
	for _, value := range data {
		total += len(value)
	}
	return total
}

// frozen is one part of an object that stays as it is once the object is immutable.
type frozen struct {
	name         string
	updated, old any
}

// validateFrozen checks the update of an object that can be made immutable.
func validateFrozen(updated, old *bool, parts ...frozen) field.ErrorList {
	if !ptr.Deref(old, false) {
		return nil
	}
	const message = "field is immutable when `immutable` is set"
	var errs field.ErrorList
	if !ptr.Deref(updated, false) {
		errs = append(errs, field.Forbidden(field.NewPath("immutable"), message))
	}
	for _, part := range parts {
		if !reflect.DeepEqual(part.updated, part.old) {
			errs = append(errs, field.Forbidden(field.NewPath(part.name), message))
		}
	}
	return errs
}
