package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// podEphemeralContainers is how somebody who looks around in a pod brings a container of their own.
var podEphemeralContainers = part("ephemeralcontainers", Subresource{
	Prepare:  changesOver(prepareEphemeral),
	Validate: validatesOver(validateEphemeralUpdate),
	Owns:     fieldpath.NewIncludeMatcherFilter(fieldpath.MakePrefixMatcherOrDie("spec", "ephemeralContainers")),
})

// prepareEphemeral keeps all of a pod but its ephemeral containers.
func prepareEphemeral(updated, old *corev1.Pod) {
	wanted := updated.Spec.EphemeralContainers
	updated.Spec, updated.Status = old.Spec, old.Status
	metav1.ResetObjectMetaForStatus(updated, old)
	updated.Spec.EphemeralContainers = wanted
	countGeneration(updated, old)
}

// countGeneration counts a pod's generation up when its spec differs.
func countGeneration(updated, old *corev1.Pod) {
	updated.Generation = old.Generation
	if !equality.Semantic.DeepEqual(updated.Spec, old.Spec) {
		updated.Generation++
	}
}

// validateEphemeralUpdate lets containers be added, and none be changed or taken away.
func validateEphemeralUpdate(updated, old *corev1.Pod) field.ErrorList {
	if _, mirror := old.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		return field.ErrorList{field.Forbidden(field.NewPath(""), "static pods do not support ephemeral containers")}
	}
	errs := validatePod(updated)
	path := field.NewPath("spec", "ephemeralContainers")
	wanted := map[string]corev1.EphemeralContainer{}
	for _, c := range updated.Spec.EphemeralContainers {
		wanted[c.Name] = c
	}
	for _, was := range old.Spec.EphemeralContainers {
		is, kept := wanted[was.Name]
		switch {
		case !kept:
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("existing ephemeral containers %q may not be removed\n", was.Name)))
		case !equality.Semantic.DeepEqual(was, is):
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("existing ephemeral containers %q may not be changed\n%v", was.Name, diff.Diff(was, is))))
		}
	}
	return errs
}

// validateEphemeral checks what is an ephemeral container's own: it is looked around in, and nothing depends on it.
// others are the names of the containers that it may look at.
func validateEphemeral(c *corev1.EphemeralContainer, others unique[string], path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if target := c.TargetContainerName; target != "" && !others[target] {
		errs = append(errs, field.NotFound(path.Child("targetContainerName"), target))
	}
	errs = append(errs, refuse([]refusal{
		{"ports", c.Ports != nil},
		{"resources", c.Resources.Limits != nil || c.Resources.Requests != nil || c.Resources.Claims != nil},
		{"resizePolicy", c.ResizePolicy != nil},
		{"restartPolicy", c.RestartPolicy != nil},
		{"restartPolicyRules", c.RestartPolicyRules != nil},
		{"livenessProbe", c.LivenessProbe != nil},
		{"readinessProbe", c.ReadinessProbe != nil},
		{"startupProbe", c.StartupProbe != nil},
		{"lifecycle", c.Lifecycle != nil},
	}, path, notForEphemeral)...)
	for i, m := range c.VolumeMounts {
		at := path.Child("volumeMounts").Index(i)
		errs = append(errs, refuse([]refusal{{"subPath", m.SubPath != ""}, {"subPathExpr", m.SubPathExpr != ""}}, at, notForEphemeral)...)
	}
	return errs
}

const notForEphemeral = "cannot be set for an Ephemeral Container"

// refusal is a field that may not be given.
type refusal struct {
	field string
	given bool
}

func refuse(list []refusal, path *field.Path, message string) field.ErrorList {
	var errs field.ErrorList
	for _, r := range list {
		if r.given {
			errs = append(errs, field.Forbidden(path.Child(r.field), message))
		}
	}
	return errs
}
