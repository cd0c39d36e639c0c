package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
)

// podOfSet makes the pod of an ordinal from a revision's template.
func podOfSet(set *appsv1.StatefulSet, template *corev1.PodTemplateSpec, planned statefulPod) *corev1.Pod {
	ref := *metav1.NewControllerRef(set, kind.StatefulSet.GroupVersionKind)
	pod := podFromTemplate(template, set.Namespace, set.Name, ref)
	pod.GenerateName = ""
	pod.Name = fmt.Sprintf("%s-%d", set.Name, planned.ordinal)
	pod.Labels = cloned(pod.Labels)
	nameLabels(pod)
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = planned.revision
	pod.Spec.Hostname, pod.Spec.Subdomain = pod.Name, set.Spec.ServiceName
	pod.Spec.Volumes = claimVolumes(set, pod)
	return pod
}

// nameLabels tell a pod's name and number, for services and the downward API.
func nameLabels(pod *corev1.Pod) {
	pod.Labels = cloned(pod.Labels)
	pod.Labels[appsv1.StatefulSetPodNameLabel] = pod.Name
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(int(ordinalOf(pod)))
}

// claimVolumes are a pod's volumes: its own claims, in the place of the volumes of their names.
func claimVolumes(set *appsv1.StatefulSet, pod *corev1.Pod) []corev1.Volume {
	var volumes []corev1.Volume
	claims := claimsOf(set, pod)
	for i := range claims {
		volumes = append(volumes, corev1.Volume{Name: set.Spec.VolumeClaimTemplates[i].Name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claims[i].Name},
		}})
	}
	for _, v := range pod.Spec.Volumes {
		if !slices.ContainsFunc(volumes, func(claimed corev1.Volume) bool { return claimed.Name == v.Name }) {
			volumes = append(volumes, v)
		}
	}
	return volumes
}

// claimsOf are the claims of a pod, one a template, named after both.
func claimsOf(set *appsv1.StatefulSet, pod *corev1.Pod) []*corev1.PersistentVolumeClaim {
	var claims []*corev1.PersistentVolumeClaim
	for i := range set.Spec.VolumeClaimTemplates {
		claim := set.Spec.VolumeClaimTemplates[i].DeepCopy()
		claim.Name = fmt.Sprintf("%s-%s-%d", claim.Name, set.Name, ordinalOf(pod))
		claim.Namespace = set.Namespace
		claim.Labels = cloned(claim.Labels)
		maps.Copy(claim.Labels, set.Spec.Selector.MatchLabels)
		claims = append(claims, claim)
	}
	return claims
}

// claimOwners are the owners that a claim should have, so that it goes with the set or with a pod that is not wanted
// any more, where that is asked for. Claims that somebody else controls, or a namesake of the set or the pod, are left
// alone.
func claimOwners(set *appsv1.StatefulSet, pod *corev1.Pod, claim *corev1.PersistentVolumeClaim) []metav1.OwnerReference {
	owners := claim.OwnerReferences
	var others []metav1.OwnerReference
	for _, ref := range owners {
		ours, stale := false, false
		for _, o := range []struct {
			object metav1.Object
			gvk    schema.GroupVersionKind
		}{{set, kind.StatefulSet.GroupVersionKind}, {pod, kind.Pod.GroupVersionKind}} {
			if ref.Kind == o.gvk.Kind && ref.APIVersion == o.gvk.GroupVersion().String() && ref.Name == o.object.GetName() {
				ours, stale = true, ref.UID != o.object.GetUID()
			}
		}
		switch {
		case stale:
			return owners
		case !ours:
			others = append(others, ref)
		}
	}
	if metav1.GetControllerOfNoCopy(&metav1.ObjectMeta{OwnerReferences: others}) != nil {
		return others
	}
	policy := set.Spec.PersistentVolumeClaimRetentionPolicy
	if policy == nil {
		return others
	}
	unwanted := !wantedOrdinal(set, ordinalOf(pod))
	switch {
	case policy.WhenScaled == appsv1.DeletePersistentVolumeClaimRetentionPolicyType && unwanted:
		return append(others, *metav1.NewControllerRef(pod, kind.Pod.GroupVersionKind))
	case policy.WhenDeleted == appsv1.DeletePersistentVolumeClaimRetentionPolicyType:
		return append(others, *metav1.NewControllerRef(set, kind.StatefulSet.GroupVersionKind))
	}
	return others
}

func wantedOrdinal(set *appsv1.StatefulSet, ordinal int32) bool {
	start := int32(0)
	if set.Spec.Ordinals != nil {
		start = set.Spec.Ordinals.Start
	}
	return ordinal >= start && ordinal < start+*set.Spec.Replicas
}
