package kind

import (
	"fmt"

	storagev1 "k8s.io/api/storage/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// CSINode tells which storage drivers a node has.
var CSINode = &Kind{
	GroupVersionKind:  storage("CSINode"),
	Resource:          "csinodes",
	Singular:          "csinode",
	New:               makes[storagev1.CSINode](),
	NewList:           makes[storagev1.CSINodeList](),
	ConditionalUpdate: true,

	// What drivers say of the health of their storage is not told.
	PrepareCreate: changes(func(n *storagev1.CSINode) { n.Status = storagev1.CSINodeStatus{} }),
	PrepareUpdate: changesOver(func(updated, old *storagev1.CSINode) { updated.Status = old.Status }),

	Validate:       validates(validateCSINode),
	ValidateUpdate: validatesOver(validateCSINodeUpdate),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Drivers", "integer", "Drivers indicates the number of CSI drivers registered on the node"),
		ageColumn,
	},
	Row: prints(func(n *storagev1.CSINode) []any { return []any{n.Name, int64(len(n.Spec.Drivers)), age(n)} }),
}

func validateCSINode(n *storagev1.CSINode) field.ErrorList {
	var errs field.ErrorList
	names := unique[string]{}
	for i := range n.Spec.Drivers {
		d, at := &n.Spec.Drivers[i], field.NewPath("spec", "drivers").Index(i)
		errs = append(errs, validateDriverName(d.Name, at.Child("name"))...)
		errs = append(errs, validateNodeID(d.NodeID, at.Child("nodeID"))...)
		if d.Allocatable != nil && d.Allocatable.Count != nil {
			errs = append(errs, nonNegative(at.Child("allocatable", "count"), d.Allocatable.Count)...)
		}
		errs = append(errs, names.check(at.Child("name"), d.Name, d.Name)...)
		errs = append(errs, validateTopologyKeys(d.TopologyKeys, at)...)
	}
	return errs
}

// maxNodeID is how long the name may be that a driver has for a node.
const maxNodeID = 256

func validateNodeID(id string, path *field.Path) field.ErrorList {
	if len(id) > maxNodeID {
		return field.ErrorList{field.Invalid(path, id, fmt.Sprintf("must be %d characters or less", maxNodeID))}
	}
	return required(path, id)
}

func validateTopologyKeys(keys []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := unique[string]{}
	for _, key := range keys {
		errs = append(errs, required(path, key)...)
		errs = append(errs, seen.check(path, key, key)...)
		errs = append(errs, invalid(path, key, validation.IsQualifiedName(key))...)
	}
	return errs
}

// validateCSINodeUpdate keeps what is said of a driver, but for how many volumes it can still take.
func validateCSINodeUpdate(updated, old *storagev1.CSINode) field.ErrorList {
	var errs field.ErrorList
	for _, was := range old.Spec.Drivers {
		for _, is := range updated.Spec.Drivers {
			if is.Name == was.Name {
				is.Allocatable, was.Allocatable = nil, nil
				errs = append(errs, apivalidation.ValidateImmutableField(&is, &was, field.NewPath("spec", "drivers"))...)
			}
		}
	}
	return errs
}
