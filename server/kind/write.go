package kind

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// parts returns the two halves of an object: what its users want and what its agent or controller has seen.
type parts[P runtime.Object, Spec, Status any] func(P) (*Spec, *Status)

// writable is an API object whose metadata can be changed.
type writable interface {
	runtime.Object
	metav1.Object
}

// creating starts an object at generation 1 with an empty status, whatever the request says.
func creating[P writable, Spec, Status any](of parts[P, Spec, Status]) func(runtime.Object) {
	return changes(func(obj P) {
		_, status := of(obj)
		*status = *new(Status)
		obj.SetGeneration(1)
	})
}

// updating keeps the status that is stored, and counts the generation up when the spec differs.
func updating[P writable, Spec, Status any](of parts[P, Spec, Status]) func(updated, old runtime.Object) {
	return changesOver(func(updated, old P) {
		spec, status := of(updated)
		oldSpec, oldStatus := of(old)
		*status = *oldStatus
		updated.SetGeneration(old.GetGeneration())
		if !equality.Semantic.DeepEqual(spec, oldSpec) {
			updated.SetGeneration(old.GetGeneration() + 1)
		}
	})
}

// reporting keeps the spec that is stored.
func reporting[P writable, Spec, Status any](of parts[P, Spec, Status]) func(updated, old runtime.Object) {
	return changesOver(func(updated, old P) {
		spec, _ := of(updated)
		oldSpec, _ := of(old)
		*spec = *oldSpec
		updated.SetGeneration(old.GetGeneration())
	})
}

// starting starts an object that has no status at generation 1.
func starting[P writable]() func(runtime.Object) {
	return changes(func(obj P) { obj.SetGeneration(1) })
}

// counting counts the generation up when the spec of an object that has no status differs.
func counting[P writable, Spec any](spec func(P) *Spec) func(updated, old runtime.Object) {
	return changesOver(func(updated, old P) {
		updated.SetGeneration(old.GetGeneration())
		if !equality.Semantic.DeepEqual(spec(updated), spec(old)) {
			updated.SetGeneration(old.GetGeneration() + 1)
		}
	})
}
