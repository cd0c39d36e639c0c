package controller

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"

	"leme/server/kind"
)

// claimView is a claim and what there is for it.
type claimView struct {
	claim   *corev1.PersistentVolumeClaim
	volumes []*corev1.PersistentVolume
	classes []*storagev1.StorageClass
	user    string // the pod that waits for the claim; empty: none does
}

// claimPlan is what is to be done for a claim: at most one of a class, a volume and a provisioner, and what it is told.
type claimPlan struct {
	class       string
	bind        *corev1.PersistentVolume
	provisioner string
	lost        bool
	say         remark
}

// remark is an event about an object; empty when there is nothing to tell.
type remark struct{ kind, reason, message string }

func (p claimPlan) String() string {
	var words string
	switch {
	case p.class != "":
		words = "give class " + p.class
	case p.bind != nil:
		words = "bind " + p.bind.Name
	case p.provisioner != "":
		words = "ask " + p.provisioner
	case p.lost:
		words = "lose"
	default:
		words = "wait"
	}
	if p.say.reason != "" {
		words += ": " + p.say.reason
	}
	return words
}

// planClaim takes the next step towards a claim's volume. Doing it again when it is done changes nothing.
func planClaim(v claimView) claimPlan {
	claim := v.claim
	switch {
	case metav1.HasAnnotation(claim.ObjectMeta, volumehelper.AnnBindCompleted):
		return v.keep()
	case claim.Spec.VolumeName != "":
		return v.prebound()
	case !volumehelper.PersistentVolumeClaimHasClass(claim):
		if class := kind.DefaultStorageClass(v.classes); class != nil {
			return claimPlan{class: class.Name}
		}
	}
	return v.search()
}

// keep holds a claim to the volume that it was given.
func (v claimView) keep() claimPlan {
	lose := func(reason, message string) claimPlan {
		plan := claimPlan{lost: true}
		if v.claim.Status.Phase != corev1.ClaimLost {
			plan.say = remark{corev1.EventTypeWarning, reason, message}
		}
		return plan
	}
	if v.claim.Spec.VolumeName == "" {
		return lose("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
	}
	volume := v.volume(v.claim.Spec.VolumeName)
	switch {
	case volume == nil:
		return lose("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
	case volume.Spec.ClaimRef == nil, volumehelper.IsVolumeBoundToClaim(volume, v.claim):
		return claimPlan{bind: volume}
	}
	return lose("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
}

// prebound waits for the volume that the claim itself has named.
func (v claimView) prebound() claimPlan {
	volume := v.volume(v.claim.Spec.VolumeName)
	switch {
	case volume == nil, volume.Spec.ClaimRef != nil && !volumehelper.IsVolumeBoundToClaim(volume, v.claim):
		return claimPlan{}
	case volume.Spec.ClaimRef != nil:
		return claimPlan{bind: volume}
	}
	if problem := unsatisfied(v.claim, volume); problem != "" {
		return claimPlan{say: remark{corev1.EventTypeWarning, "VolumeMismatch",
			fmt.Sprintf("Cannot bind to requested volume %q: %s", volume.Name, problem)}}
	}
	return claimPlan{bind: volume}
}

// unsatisfied says what a volume lacks for a claim that names it.
func unsatisfied(claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) string {
	wanted, has := claim.Spec.Resources.Requests[corev1.ResourceStorage], volume.Spec.Capacity[corev1.ResourceStorage]
	switch {
	case volume.DeletionTimestamp != nil:
		return "the volume is marked for deletion"
	case has.Cmp(wanted) < 0:
		return "requested PV is too small"
	case volumehelper.GetPersistentVolumeClass(volume) != volumehelper.GetPersistentVolumeClaimClass(claim):
		return "storageClassName does not match"
	case volumehelper.CheckVolumeModeMismatches(&claim.Spec, &volume.Spec):
		return "incompatible volumeMode"
	case !volumehelper.CheckAccessModes(claim, volume):
		return "incompatible accessMode"
	}
	return ""
}

// search looks for a volume, or for who makes one. A claim of a class that waits gets none before a pod has a node.
func (v claimView) search() claimPlan {
	class := v.class()
	waits := kind.Waits(class) && !volumehelper.IsDelayBindingProvisioning(v.claim)
	volume, err := volumehelper.FindMatchingVolume(v.claim, v.volumes, nil, nil, waits, true)
	name := volumehelper.GetPersistentVolumeClaimClass(v.claim)
	switch {
	case err != nil:
		return claimPlan{say: remark{corev1.EventTypeWarning, "FailedBinding", err.Error()}}
	case volume != nil:
		return claimPlan{bind: volume}
	case waits && v.user != "":
		return claimPlan{say: remark{corev1.EventTypeNormal, "WaitForPodScheduled", fmt.Sprintf("waiting for pod %s to be scheduled", v.user)}}
	case waits:
		return claimPlan{say: remark{corev1.EventTypeNormal, "WaitForFirstConsumer", "waiting for first consumer to be created before binding"}}
	case name == "":
		return claimPlan{say: remark{corev1.EventTypeNormal, "FailedBinding", "no persistent volumes available for this claim and no storage class is set"}}
	case class == nil:
		return claimPlan{say: remark{corev1.EventTypeWarning, "ProvisioningFailed", fmt.Sprintf("storageclass.storage.k8s.io %q not found", name)}}
	case class.Provisioner == volumehelper.NotSupportedProvisioner:
		return claimPlan{say: remark{corev1.EventTypeNormal, "FailedBinding", "no persistent volumes available for this claim, and its storage class makes none"}}
	}
	return claimPlan{provisioner: class.Provisioner, say: remark{corev1.EventTypeNormal, "ExternalProvisioning", fmt.Sprintf(
		"Waiting for a volume to be created either by the external provisioner '%s' or manually by the system administrator. "+
			"If volume creation is delayed, please verify that the provisioner is running and correctly registered.", class.Provisioner)}}
}

func (v claimView) volume(name string) *corev1.PersistentVolume {
	for _, volume := range v.volumes {
		if volume.Name == name {
			return volume
		}
	}
	return nil
}

// class is the one that the claim names, or nil.
func (v claimView) class() *storagev1.StorageClass {
	name := volumehelper.GetPersistentVolumeClaimClass(v.claim)
	for _, class := range v.classes {
		if class.Name == name {
			return class
		}
	}
	return nil
}
