package kind

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// StatefulSet keeps pods with names and volumes of their own.
var StatefulSet = &Kind{
	GroupVersionKind: apps("StatefulSet"),
	Resource:         "statefulsets",
	Singular:         "statefulset",
	ShortNames:       []string{"sts"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[appsv1.StatefulSet](),
	NewList:          makes[appsv1.StatefulSetList](),

	Default:       changes(defaultStatefulSet),
	PrepareCreate: creating(statefulSetParts),
	PrepareUpdate: updating(statefulSetParts),
	PrepareStatus: reporting(statefulSetParts),
	HasStatus:     true,

	Validate:       validates(validateStatefulSet),
	ValidateCreate: validates(validateNewStatefulSet),
	ValidateUpdate: validatesOver(validateStatefulSetUpdate),
	ValidateStatus: validatesOver(validateStatefulSetStatus),
	ValidateName:   apivalidation.NameIsDNSLabel,
	Warnings:       warns(statefulSetWarnings),

	Scale: scales(func(s *appsv1.StatefulSet) (**int32, int32, *metav1.LabelSelector) {
		return &s.Spec.Replicas, s.Status.Replicas, s.Spec.Selector
	}),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Ready", "string", "Number of the pod with ready state"),
		ageColumn,
		templateColumns[0],
		templateColumns[1],
	},
	Row: prints(func(s *appsv1.StatefulSet) []any {
		ready := fmt.Sprintf("%d/%d", s.Status.ReadyReplicas, ptr.Deref(s.Spec.Replicas, 0))
		return append([]any{s.Name, ready, age(s)}, templateCells(&s.Spec.Template.Spec, nil)[:2]...)
	}),
}

func statefulSetParts(s *appsv1.StatefulSet) (*appsv1.StatefulSetSpec, *appsv1.StatefulSetStatus) {
	return &s.Spec, &s.Status
}

func defaultStatefulSet(s *appsv1.StatefulSet) {
	setDefaultText(&s.Spec.PodManagementPolicy, appsv1.OrderedReadyPodManagement)
	u := &s.Spec.UpdateStrategy
	if u.Type == "" {
		u.Type = appsv1.RollingUpdateStatefulSetStrategyType
		if u.RollingUpdate == nil {
			u.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{}
		}
	}
	if u.Type == appsv1.RollingUpdateStatefulSetStrategyType && u.RollingUpdate != nil {
		setDefault(&u.RollingUpdate.Partition, 0)
		setDefault(&u.RollingUpdate.MaxUnavailable, intstr.FromInt32(1))
	}
	setDefault(&s.Spec.PersistentVolumeClaimRetentionPolicy, appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{})
	setDefaultText(&s.Spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
	setDefaultText(&s.Spec.PersistentVolumeClaimRetentionPolicy.WhenScaled, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
	setDefault(&s.Spec.Replicas, 1)
	setDefault(&s.Spec.RevisionHistoryLimit, 10)
	for i := range s.Spec.VolumeClaimTemplates {
		claim := &s.Spec.VolumeClaimTemplates[i]
		claim.SetGroupVersionKind(core("PersistentVolumeClaim"))
		defaultPersistentVolumeClaim(claim)
	}
	defaultPodSpec(&s.Spec.Template.Spec)
}

func statefulSetWarnings(s *appsv1.StatefulSet) []string {
	warnings := templateWarnings(&s.Spec.Template)
	for i := range s.Spec.VolumeClaimTemplates {
		at := field.NewPath("spec", "volumeClaimTemplates").Index(i)
		warnings = append(warnings, claimSpecWarnings(&s.Spec.VolumeClaimTemplates[i].Spec, at)...)
	}
	if limit := s.Spec.RevisionHistoryLimit; limit != nil && *limit < 0 {
		warnings = append(warnings, "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended")
	}
	return warnings
}

// claimVolumes are a template's volumes as the pods of a StatefulSet have them: a claim template takes the place of
// the volume of its name.
func claimVolumes(s *appsv1.StatefulSetSpec) []corev1.Volume {
	claims := make(map[string]bool, len(s.VolumeClaimTemplates))
	volumes := make([]corev1.Volume, 0, len(s.VolumeClaimTemplates)+len(s.Template.Spec.Volumes))
	for _, claim := range s.VolumeClaimTemplates {
		if claims[claim.Name] {
			continue
		}
		claims[claim.Name] = true
		volumes = append(volumes, corev1.Volume{Name: claim.Name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name},
		}})
	}
	for _, v := range s.Template.Spec.Volumes {
		if !claims[v.Name] {
			volumes = append(volumes, v)
		}
	}
	return volumes
}
