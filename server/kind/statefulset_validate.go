package kind

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateStatefulSet(s *appsv1.StatefulSet) field.ErrorList {
	path, spec := field.NewPath("spec"), &s.Spec
	errs := validateManagement(spec.PodManagementPolicy, path.Child("podManagementPolicy"))
	errs = append(errs, validateStatefulStrategy(&spec.UpdateStrategy, path.Child("updateStrategy"))...)
	errs = append(errs, validateRetention(spec.PersistentVolumeClaimRetentionPolicy, path.Child("persistentVolumeClaimRetentionPolicy"))...)
	errs = append(errs, nonNegative(path.Child("replicas"), spec.Replicas)...)
	errs = append(errs, nonNegative(path.Child("minReadySeconds"), &spec.MinReadySeconds)...)
	if spec.Ordinals != nil {
		errs = append(errs, nonNegative(path.Child("ordinals.start"), &spec.Ordinals.Start)...)
	}
	errs = append(errs, validateSelector(spec.Selector, "statefulset", path.Child("selector"))...)
	return append(errs, validateStatefulTemplate(spec, path)...)
}

// validateNewStatefulSet checks what never changes afterwards.
func validateNewStatefulSet(s *appsv1.StatefulSet) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	for i := range s.Spec.VolumeClaimTemplates {
		errs = append(errs, validateClaimSpec(&s.Spec.VolumeClaimTemplates[i].Spec, path.Child("volumeClaimTemplates").Index(i).Child("spec"))...)
	}
	return append(errs, maybeNamed(path.Child("serviceName"), s.Spec.ServiceName, validation.IsDNS1123Label)...)
}

func validateManagement(p appsv1.PodManagementPolicyType, path *field.Path) field.ErrorList {
	switch p {
	case appsv1.OrderedReadyPodManagement, appsv1.ParallelPodManagement:
		return nil
	case "":
		return field.ErrorList{field.Required(path, "")}
	}
	return field.ErrorList{field.Invalid(path, p, fmt.Sprintf("must be '%s' or '%s'", appsv1.OrderedReadyPodManagement, appsv1.ParallelPodManagement))}
}

func validateStatefulStrategy(u *appsv1.StatefulSetUpdateStrategy, path *field.Path) field.ErrorList {
	rolling := path.Child("rollingUpdate")
	switch u.Type {
	case appsv1.OnDeleteStatefulSetStrategyType:
		if u.RollingUpdate == nil {
			return nil
		}
		return field.ErrorList{field.Invalid(rolling, u.RollingUpdate, fmt.Sprintf("only allowed for updateStrategy '%s'", appsv1.RollingUpdateStatefulSetStrategyType))}
	case appsv1.RollingUpdateStatefulSetStrategyType:
		if u.RollingUpdate == nil {
			return nil
		}
		errs := nonNegative(rolling.Child("partition"), u.RollingUpdate.Partition)
		if most := u.RollingUpdate.MaxUnavailable; most != nil {
			at := rolling.Child("maxUnavailable")
			errs = append(errs, countOrPercent(*most, at)...)
			if number(*most) == 0 {
				errs = append(errs, field.Invalid(at, *most, "cannot be 0"))
			}
			errs = append(errs, atMostAll(*most, at)...)
		}
		return errs
	case "":
		return field.ErrorList{field.Required(path, "")}
	}
	return field.ErrorList{field.Invalid(path, *u, fmt.Sprintf("must be '%s' or '%s'", appsv1.RollingUpdateStatefulSetStrategyType, appsv1.OnDeleteStatefulSetStrategyType))}
}

func validateRetention(p *appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy, path *field.Path) field.ErrorList {
	if p == nil {
		return nil
	}
	types := []appsv1.PersistentVolumeClaimRetentionPolicyType{
		appsv1.RetainPersistentVolumeClaimRetentionPolicyType, appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
	}
	return append(maybeOneOf(path.Child("whenDeleted"), &p.WhenDeleted, types...), maybeOneOf(path.Child("whenScaled"), &p.WhenScaled, types...)...)
}

// validateStatefulTemplate checks the pods as they will be made: with the claims' volumes, and without the names that
// the set gives them.
func validateStatefulTemplate(s *appsv1.StatefulSetSpec, path *field.Path) field.ErrorList {
	selector, err := metav1.LabelSelectorAsSelector(s.Selector)
	if err != nil {
		return field.ErrorList{field.Invalid(path.Child("selector"), s.Selector, "")}
	}
	at := path.Child("template")
	var errs field.ErrorList
	if !selector.Empty() && !selector.Matches(labels.Set(s.Template.Labels)) {
		errs = append(errs, field.Invalid(at.Child("metadata", "labels"), s.Template.Labels, "`selector` does not match template `labels`"))
	}
	t := s.Template.DeepCopy()
	t.Spec.Subdomain, t.Spec.Hostname = "", ""
	if len(s.VolumeClaimTemplates) > 0 {
		t.Spec.Volumes = claimVolumes(s)
	}
	errs = append(errs, validatePodTemplate(t, at)...)
	return append(errs, runsOn(&s.Template, "StatefulSet", at)...)
}

func validateStatefulSetUpdate(updated, old *appsv1.StatefulSet) field.ErrorList {
	path, is, was := field.NewPath("spec"), &updated.Spec, &old.Spec
	errs := apivalidation.ValidateImmutableField(is.Selector, was.Selector, path.Child("selector"))
	errs = append(errs, apivalidation.ValidateImmutableField(is.VolumeClaimTemplates, was.VolumeClaimTemplates, path.Child("volumeClaimTemplates"))...)
	errs = append(errs, apivalidation.ValidateImmutableField(is.ServiceName, was.ServiceName, path.Child("serviceName"))...)
	errs = append(errs, apivalidation.ValidateImmutableField(is.PodManagementPolicy, was.PodManagementPolicy, path.Child("podManagementPolicy"))...)
	return errs.WithOrigin("immutable")
}

func validateStatefulSetStatus(updated, old *appsv1.StatefulSet) field.ErrorList {
	path, s := field.NewPath("status"), updated.Status
	all := replicaCount{"replicas", s.Replicas}
	ready, available := replicaCount{"readyReplicas", s.ReadyReplicas}, replicaCount{"availableReplicas", s.AvailableReplicas}
	parts := []replicaCount{ready, {"currentReplicas", s.CurrentReplicas}, {"updatedReplicas", s.UpdatedReplicas}, available}
	errs := all.nonNegative(path)
	for _, part := range parts {
		errs = append(errs, part.nonNegative(path)...)
	}
	errs = append(errs, nonNegative(path.Child("observedGeneration"), &s.ObservedGeneration)...)
	errs = append(errs, nonNegative(path.Child("collisionCount"), s.CollisionCount)...)
	for _, part := range parts {
		errs = append(errs, part.among(all, path, "cannot be greater than status.replicas")...)
	}
	errs = append(errs, available.among(ready, path, "cannot be greater than status.readyReplicas")...)
	return append(errs, notDecremented(s.CollisionCount, old.Status.CollisionCount, path.Child("collisionCount"))...)
}

// notDecremented checks a count that only goes up.
func notDecremented(is, was *int32, path *field.Path) field.ErrorList {
	if was == nil || is != nil && *is >= *was {
		return nil
	}
	return field.ErrorList{field.Invalid(path, ptr.Deref(is, 0), "cannot be decremented")}
}
