package controller

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ownerState is what has become of an object that another names as its owner.
type ownerState int

const (
	ownerSolid   ownerState = iota // it is there, or it cannot be told that it is not
	ownerAbsent                    // no object has its UID any more
	ownerWaiting                   // it is there until its dependents have gone
)

// collectPlan is what the garbage collector does about one object.
type collectPlan struct {
	remove     bool
	policy     metav1.DeletionPropagation
	unblock    bool        // first let the owners not wait for this object: they wait for each other
	dropOwners []types.UID // the references that lead nowhere, while others hold the object
}

func (p collectPlan) String() string {
	switch {
	case p.remove && p.unblock:
		return fmt.Sprintf("unblock and delete %s", p.policy)
	case p.remove:
		return fmt.Sprintf("delete %s", p.policy)
	case len(p.dropOwners) > 0:
		return fmt.Sprintf("drop owners %v", p.dropOwners)
	}
	return "nothing"
}

// planCollect decides about an object by its owners. It lives as long as one of them does. dependents are
// those of the object itself.
func planCollect(o metav1.Object, state func(metav1.OwnerReference) ownerState, dependents []metav1.Object) collectPlan {
	owners := o.GetOwnerReferences()
	if o.GetDeletionTimestamp() != nil || len(owners) == 0 {
		return collectPlan{}
	}
	var loose []types.UID
	waiting := false
	for _, ref := range owners {
		switch state(ref) {
		case ownerAbsent:
			loose = append(loose, ref.UID)
		case ownerWaiting:
			loose = append(loose, ref.UID)
			waiting = true
		}
	}
	switch {
	case len(loose) < len(owners):
		return collectPlan{dropOwners: loose}
	case waiting && len(dependents) > 0:
		return collectPlan{remove: true, policy: metav1.DeletePropagationForeground, unblock: slices.ContainsFunc(dependents, waitsForDependents)}
	}
	return collectPlan{remove: true, policy: policyOf(o)}
}

// policyOf is how an object asks, by its finalizers, for its dependents to be treated.
func policyOf(o metav1.Object) metav1.DeletionPropagation {
	switch {
	case slices.Contains(o.GetFinalizers(), metav1.FinalizerOrphanDependents):
		return metav1.DeletePropagationOrphan
	case slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents):
		return metav1.DeletePropagationForeground
	}
	return metav1.DeletePropagationBackground
}

// waitsForDependents tells an object in foreground deletion.
func waitsForDependents(o metav1.Object) bool {
	return o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents)
}

// orphansDependents tells an object that is being deleted and leaves its dependents behind.
func orphansDependents(o metav1.Object) bool {
	return o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), metav1.FinalizerOrphanDependents)
}

// blocks tells that an owner in foreground deletion waits for a dependent.
func blocks(dependent metav1.Object, owner types.UID) bool {
	return slices.ContainsFunc(dependent.GetOwnerReferences(), func(r metav1.OwnerReference) bool {
		return r.UID == owner && r.BlockOwnerDeletion != nil && *r.BlockOwnerDeletion
	})
}
