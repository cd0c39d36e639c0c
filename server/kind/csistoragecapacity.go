package kind

import (
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// CSIStorageCapacity tells how much storage of a class there is for some nodes.
var CSIStorageCapacity = &Kind{
	GroupVersionKind:  storage("CSIStorageCapacity"),
	Resource:          "csistoragecapacities",
	Singular:          "csistoragecapacity",
	Namespaced:        true,
	New:               makes[storagev1.CSIStorageCapacity](),
	NewList:           makes[storagev1.CSIStorageCapacityList](),
	ConditionalUpdate: true,

	Validate:       validates(validateCSIStorageCapacity),
	ValidateUpdate: validatesOver(validateCSIStorageCapacityUpdate),
	Warnings: warns(func(c *storagev1.CSIStorageCapacity) []string {
		return nodeLabelWarnings(c.NodeTopology, field.NewPath("nodeTopology"))
	}),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("StorageClassName", "string", storagev1.CSIStorageCapacity{}.SwaggerDoc()["storageClassName"]),
		column("Capacity", "string", storagev1.CSIStorageCapacity{}.SwaggerDoc()["capacity"]),
	},
	Row: prints(func(c *storagev1.CSIStorageCapacity) []any {
		capacity := unset
		if c.Capacity != nil {
			capacity = c.Capacity.String()
		}
		return []any{c.Name, c.StorageClassName, capacity}
	}),
}

func validateCSIStorageCapacity(c *storagev1.CSIStorageCapacity) field.ErrorList {
	errs := labelSelector(field.NewPath("nodeTopology"), c.NodeTopology)
	errs = append(errs, invalid(field.NewPath("storageClassName"), c.StorageClassName, validation.IsDNS1123Subdomain(c.StorageClassName))...)
	if c.Capacity != nil && c.Capacity.Cmp(resource.Quantity{}) < 0 {
		errs = append(errs, field.Invalid(field.NewPath("capacity"), c.Capacity.String(), apivalidation.IsNegativeErrorMsg).WithOrigin("minimum"))
	}
	return errs
}

// validateCSIStorageCapacityUpdate keeps what the driver was asked about.
func validateCSIStorageCapacityUpdate(updated, old *storagev1.CSIStorageCapacity) field.ErrorList {
	var errs field.ErrorList
	if !equality.Semantic.DeepEqual(updated.NodeTopology, old.NodeTopology) {
		errs = append(errs, field.Invalid(field.NewPath("nodeTopology"), updated.NodeTopology, apivalidation.FieldImmutableErrorMsg))
	}
	if updated.StorageClassName != old.StorageClassName {
		errs = append(errs, field.Invalid(field.NewPath("storageClassName"), updated.StorageClassName, apivalidation.FieldImmutableErrorMsg))
	}
	return errs
}
