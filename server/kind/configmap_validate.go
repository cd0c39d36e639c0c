package kind

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateConfigMap(cm *corev1.ConfigMap) field.ErrorList {
	data, binary := field.NewPath("data"), field.NewPath("binaryData")
	errs := validateKeys(cm.Data, data)
	for _, key := range slices.Sorted(maps.Keys(cm.Data)) {
		if _, twice := cm.BinaryData[key]; twice {
			errs = append(errs, field.Invalid(data.Key(key), key, "duplicate of key present in binaryData"))
		}
	}
	errs = append(errs, validateKeys(cm.BinaryData, binary)...)
	if sizeOf(cm.Data)+sizeOf(cm.BinaryData) > maxDataBytes {
		errs = append(errs, field.TooLong(field.NewPath(""), "", maxDataBytes))
	}
	return errs
}

func validateConfigMapUpdate(updated, old *corev1.ConfigMap) field.ErrorList {
	return validateFrozen(updated.Immutable, old.Immutable,
		frozen{"data", updated.Data, old.Data}, frozen{"binaryData", updated.BinaryData, old.BinaryData})
}
