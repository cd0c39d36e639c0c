package controller

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"
)

// volumePlan is what a volume's claim makes of it.
type volumePlan struct {
	phase  corev1.PersistentVolumePhase // as it is, when it stays so
	unbind bool
	say    remark
}

func (p volumePlan) String() string {
	words := string(p.phase)
	if p.unbind {
		words = "unbind, " + words
	}
	if p.say.reason != "" {
		words += ": " + p.say.reason
	}
	return words
}

// planVolume decides on a volume's phase by its claim, which is nil when there is none of that name and UID.
func planVolume(pv *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) volumePlan {
	ref := pv.Spec.ClaimRef
	byController := metav1.HasAnnotation(pv.ObjectMeta, volumehelper.AnnBoundByController)
	switch {
	case ref == nil, ref.UID == "":
		return volumePlan{phase: corev1.VolumeAvailable}
	case claim == nil:
		return planReleased(pv)
	case claim.Spec.VolumeName == pv.Name:
		return volumePlan{phase: corev1.VolumeBound}
	case claim.Spec.VolumeName == "" && volumehelper.CheckVolumeModeMismatches(&claim.Spec, &pv.Spec):
		return volumePlan{phase: pv.Status.Phase, say: remark{corev1.EventTypeWarning, "VolumeMismatch",
			fmt.Sprintf("Cannot bind PersistentVolume to requested PersistentVolumeClaim %q due to incompatible volumeMode.", claim.Name)}}
	case claim.Spec.VolumeName == "":
		return volumePlan{phase: pv.Status.Phase} // the claim's next step binds it
	case dynamic(pv) && pv.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete:
		return planReleased(pv) // it was made for this claim, which has another by now
	}
	return volumePlan{phase: corev1.VolumeAvailable, unbind: byController || ref.UID != ""}
}

func dynamic(pv *corev1.PersistentVolume) bool {
	return metav1.HasAnnotation(pv.ObjectMeta, volumehelper.AnnDynamicallyProvisioned)
}

// planReleased reclaims a volume whose claim is gone. Who has made it deletes it, or nobody does; nobody wipes it.
func planReleased(pv *corev1.PersistentVolume) volumePlan {
	released := volumePlan{phase: corev1.VolumeReleased}
	if pv.Status.Phase == corev1.VolumeFailed {
		return volumePlan{phase: corev1.VolumeFailed}
	}
	switch pv.Spec.PersistentVolumeReclaimPolicy {
	case corev1.PersistentVolumeReclaimRecycle:
		return volumePlan{phase: corev1.VolumeFailed, say: remark{corev1.EventTypeWarning, "VolumeFailedRecycle", "No recycler plugin found for the volume!"}}
	case corev1.PersistentVolumeReclaimDelete:
		if !dynamic(pv) {
			return volumePlan{phase: corev1.VolumeFailed, say: remark{corev1.EventTypeWarning, "VolumeFailedDelete",
				fmt.Sprintf("error getting deleter volume plugin for volume %q: no volume plugin matched", pv.Name)}}
		}
	}
	return released
}
