package kind

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// podResize is how a pod gets more or less of its node without being made anew.
var podResize = part("resize", Subresource{
	Prepare:  changesOver(prepareResize),
	Validate: validatesOver(validateResize),
	Owns: fieldpath.NewIncludeMatcherFilter(
		fieldpath.MakePrefixMatcherOrDie("spec", "containers", fieldpath.MatchAnyPathElement(), "resources"),
		fieldpath.MakePrefixMatcherOrDie("spec", "containers", fieldpath.MatchAnyPathElement(), "resizePolicy"),
		fieldpath.MakePrefixMatcherOrDie("spec", "initContainers", fieldpath.MatchAnyPathElement(), "resources"),
		fieldpath.MakePrefixMatcherOrDie("spec", "initContainers", fieldpath.MatchAnyPathElement(), "resizePolicy"),
	),
})

// prepareResize keeps all of a pod but what it asks for. Other containers than the pod has are left for the validation
// to refuse.
func prepareResize(updated, old *corev1.Pod) {
	defer countGeneration(updated, old)
	if !sameContainers(updated.Spec.Containers, old.Spec.Containers) || !sameContainers(updated.Spec.InitContainers, old.Spec.InitContainers) {
		return
	}
	wanted := updated.Spec
	updated.Spec, updated.Status = old.Spec, old.Status
	metav1.ResetObjectMetaForStatus(updated, old)
	updated.Spec.Containers = resized(wanted.Containers, old.Spec.Containers)
	updated.Spec.InitContainers = resized(wanted.InitContainers, old.Spec.InitContainers)
	if updated.Spec.Resources = wanted.Resources; updated.Spec.Resources == nil {
		updated.Spec.Resources = old.Spec.Resources.DeepCopy()
	}
	defaultPodRequests(updated)
}

func sameContainers(a, b []corev1.Container) bool {
	return slices.EqualFunc(a, b, func(a, b corev1.Container) bool { return a.Name == b.Name })
}

// resized are the old containers with what the wanted ones ask for.
func resized(wanted, old []corev1.Container) []corev1.Container {
	list := slices.Clone(old)
	for i := range list {
		list[i].Resources, list[i].ResizePolicy = wanted[i].Resources, wanted[i].ResizePolicy
	}
	return list
}

// validateResize lets processors and memory change, as long as the pod stays of its class and keeps what it has set.
func validateResize(updated, old *corev1.Pod) field.ErrorList {
	path := field.NewPath("spec")
	switch _, mirror := old.Annotations[corev1.MirrorPodAnnotationKey]; {
	case mirror:
		return field.ErrorList{field.Forbidden(field.NewPath(""), "static pods cannot be resized")}
	case old.Spec.OS != nil && old.Spec.OS.Name == corev1.Windows:
		return field.ErrorList{field.Forbidden(field.NewPath(""), "windows pods cannot be resized")}
	}
	errs := validatePod(updated)
	if QOSClass(&old.Spec) != QOSClass(&updated.Spec) {
		errs = append(errs, field.Invalid(path, updated.Status.QOSClass, "Pod QOS Class may not change as a result of resizing"))
	}
	if !resizable(old) {
		errs = append(errs, field.Forbidden(path, "Pod running on node without support for resize"))
	}
	errs = append(errs, validatePodResize(updated.Spec.Resources, old.Spec.Resources, path)...)
	if others := validateOrder(updated, old, path); len(others) > 0 {
		return append(errs, others...)
	}
	errs = append(errs, validateResizes(updated, old, path)...)
	if !equality.Semantic.DeepEqual(updated.Spec.Volumes, old.Spec.Volumes) {
		errs = append(errs, field.Forbidden(path.Child("volumes"), "volumes are immutable on resize when InPlacePodVerticalScalingMemoryBackedVolumes feature gate is disabled"))
	}
	return errs
}

// resizable tells by what a running container reports whether its agent knows about resizing.
func resizable(p *corev1.Pod) bool {
	for _, s := range p.Status.ContainerStatuses {
		if s.State.Running != nil {
			return s.Resources != nil
		}
	}
	return true
}

// validatePodResize checks what the pod as a whole asks for.
func validatePodResize(updated, old *corev1.ResourceRequirements, path *field.Path) field.ErrorList {
	if old == nil {
		old = &corev1.ResourceRequirements{}
	}
	if updated == nil {
		updated = &corev1.ResourceRequirements{}
	}
	errs := nothingRemoved(updated, old, path.Child("resources"), "pod-level resource")
	if !equality.Semantic.DeepEqual(unresizable(updated, old), *old) {
		errs = append(errs, field.Forbidden(path, "only cpu and memory resources are mutable at pod-level"))
	}
	return errs
}

func validateOrder(updated, old *corev1.Pod, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	check := func(updated, old []corev1.Container, list string) {
		if len(updated) != len(old) {
			errs = append(errs, field.Forbidden(path.Child(list), list+" may not be added or removed on resize"))
			return
		}
		for i := range old {
			if updated[i].Name != old[i].Name {
				errs = append(errs, field.Forbidden(path.Child(list).Index(i).Child("name"), list+" may not be renamed or reordered on resize"))
			}
		}
	}
	check(updated.Spec.Containers, old.Spec.Containers, "containers")
	check(updated.Spec.InitContainers, old.Spec.InitContainers, "initContainers")
	return errs
}

// validateResizes checks each container against the one of its name.
func validateResizes(updated, old *corev1.Pod, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range old.Spec.InitContainers {
		at := path.Child("initContainers").Index(i)
		errs = append(errs, nothingRemoved(&updated.Spec.InitContainers[i].Resources, &old.Spec.InitContainers[i].Resources, at.Child("resources"), "resource")...)
	}
	for i := range old.Spec.Containers {
		at := path.Child("containers").Index(i)
		errs = append(errs, nothingRemoved(&updated.Spec.Containers[i].Resources, &old.Spec.Containers[i].Resources, at.Child("resources"), "resource")...)
	}
	for i := range old.Spec.Containers {
		if changesMore(updated.Spec.Containers[i], old.Spec.Containers[i]) {
			errs = append(errs, field.Forbidden(path, "only cpu and memory resources are mutable"))
		}
	}
	for i := range old.Spec.InitContainers {
		updated, old, at := updated.Spec.InitContainers[i], old.Spec.InitContainers[i], path.Child("initContainers").Index(i)
		if changesMore(updated, old) {
			errs = append(errs, field.Forbidden(at, "only cpu and memory resources for init or sidecar containers are mutable"))
		}
		if !isSidecar(&updated) && !equality.Semantic.DeepEqual(updated, old) && slices.ContainsFunc(updated.ResizePolicy, restartsToResize) {
			errs = append(errs, field.Forbidden(at, "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"))
		}
	}
	return errs
}

func restartsToResize(p corev1.ContainerResizePolicy) bool {
	return p.RestartPolicy == corev1.RestartContainer
}

// changesMore tells whether a container differs in more than its processors and memory.
func changesMore(updated, old corev1.Container) bool {
	updated.Resources = unresizable(&updated.Resources, &old.Resources)
	return !equality.Semantic.DeepEqual(updated, old)
}

// unresizable is what is asked for with the old processors and memory: it must equal the old one.
func unresizable(updated, old *corev1.ResourceRequirements) corev1.ResourceRequirements {
	mask := func(updated, old corev1.ResourceList) corev1.ResourceList {
		masked := corev1.ResourceList{}
		for name, quantity := range updated {
			if name != corev1.ResourceCPU && name != corev1.ResourceMemory {
				masked[name] = quantity
			}
		}
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			if quantity, ok := old[name]; ok {
				masked[name] = quantity
			}
		}
		return masked
	}
	return corev1.ResourceRequirements{
		Limits: mask(updated.Limits, old.Limits), Requests: mask(updated.Requests, old.Requests), Claims: updated.Claims,
	}
}

func nothingRemoved(updated, old *corev1.ResourceRequirements, path *field.Path, what string) field.ErrorList {
	var errs field.ErrorList
	check := func(updated, old corev1.ResourceList, list string) {
		for name := range old {
			if _, ok := updated[name]; !ok {
				errs = append(errs, field.Forbidden(path.Child(list), what+" "+list+" cannot be removed"))
				return
			}
		}
	}
	check(updated.Requests, old.Requests, "requests")
	check(updated.Limits, old.Limits, "limits")
	return errs
}

// validateResizePolicy checks how the container takes a resize.
func validateResizePolicy(c *corev1.Container, restart corev1.RestartPolicy, path *field.Path) field.ErrorList {
	path = path.Child("resizePolicy")
	var errs field.ErrorList
	seen := unique[corev1.ResourceName]{}
	for i, p := range c.ResizePolicy {
		errs = append(errs, seen.check(path.Index(i), p.ResourceName, p.ResourceName)...)
		errs = append(errs, oneOf(path, p.ResourceName, corev1.ResourceCPU, corev1.ResourceMemory)...)
		errs = append(errs, oneOf(path, p.RestartPolicy, corev1.NotRequired, corev1.RestartContainer)...)
		if restart == corev1.RestartPolicyNever && p.RestartPolicy != corev1.NotRequired {
			errs = append(errs, field.Invalid(path, p.RestartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
		}
	}
	return errs
}
