package kind

import (
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateRuntimeClass(rc *nodev1.RuntimeClass) field.ErrorList {
	errs := invalid(field.NewPath("handler"), rc.Handler, validation.IsDNS1123Label(rc.Handler))
	if rc.Overhead != nil {
		errs = append(errs, validateResources(&corev1.ResourceRequirements{Limits: rc.Overhead.PodFixed}, field.NewPath("overhead"))...)
	}
	if s := rc.Scheduling; s != nil {
		path := field.NewPath("scheduling")
		errs = append(errs, metav1validation.ValidateLabels(s.NodeSelector, path.Child("nodeSelector"))...)
		errs = append(errs, validateTolerations(s.Tolerations, path.Child("tolerations"))...)
		seen := unique[corev1.Toleration]{}
		for i, t := range s.Tolerations {
			t.TolerationSeconds = nil
			errs = append(errs, seen.check(path.Child("tolerations").Index(i), t, t)...)
		}
	}
	return errs
}

func validateRuntimeClassUpdate(updated, old *nodev1.RuntimeClass) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Handler, old.Handler, field.NewPath("handler"))
}
