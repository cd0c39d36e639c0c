package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func podWarnings(p *corev1.Pod) []string {
	var warnings []string
	if wrong := validation.IsDNS1123Label(p.Name); p.Name != "" && len(wrong) > 0 {
		warnings = append(warnings, fmt.Sprintf("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: %v", wrong))
	}
	return append(warnings, podSpecWarnings(&p.ObjectMeta, &p.Spec, nil)...)
}

// templateWarnings are the warnings for the pods that a workload makes.
func templateWarnings(t *corev1.PodTemplateSpec) []string {
	return podSpecWarnings(&t.ObjectMeta, &t.Spec, field.NewPath("spec", "template"))
}

func podSpecWarnings(meta *metav1.ObjectMeta, s *corev1.PodSpec, path *field.Path) []string {
	warnings := annotationWarnings(meta.Annotations, path.Child("metadata", "annotations"))
	spec := path.Child("spec")
	for _, old := range slices.Sorted(maps.Keys(s.NodeSelector)) {
		if now, ok := renamedLabels[old]; ok {
			warnings = append(warnings, fmt.Sprintf("%s: deprecated since %s; use %q instead", spec.Child("nodeSelector").Key(old), now.since, now.label))
		}
	}
	for i, ref := range s.ImagePullSecrets {
		if ref.Name == "" {
			warnings = append(warnings, fmt.Sprintf("%s: invalid empty name %q", spec.Child("imagePullSecrets").Index(i).Child("name"), ""))
		}
	}
	for i, v := range s.Volumes {
		warnings = append(warnings, volumeWarnings(&v.VolumeSource, spec.Child("volumes").Index(i))...)
	}
	if g := s.TerminationGracePeriodSeconds; g != nil && *g < 0 {
		warnings = append(warnings, fmt.Sprintf("%s: must be >= 0; negative values are invalid and will be treated as 1", spec.Child("terminationGracePeriodSeconds")))
	}
	for i := range s.InitContainers {
		warnings = append(warnings, containerWarnings(&s.InitContainers[i], spec.Child("initContainers").Index(i))...)
	}
	for i := range s.Containers {
		warnings = append(warnings, containerWarnings(&s.Containers[i], spec.Child("containers").Index(i))...)
	}
	return warnings
}

// renamedLabels are the labels of nodes that have another name now.
var renamedLabels = map[string]struct{ label, since string }{
	"beta.kubernetes.io/arch":                  {corev1.LabelArchStable, "v1.14"},
	"beta.kubernetes.io/os":                    {corev1.LabelOSStable, "v1.14"},
	"beta.kubernetes.io/instance-type":         {corev1.LabelInstanceTypeStable, "v1.17"},
	"failure-domain.beta.kubernetes.io/zone":   {corev1.LabelTopologyZone, "v1.17"},
	"failure-domain.beta.kubernetes.io/region": {corev1.LabelTopologyRegion, "v1.17"},
}

func annotationWarnings(annotations map[string]string, path *field.Path) []string {
	const critical = "scheduler.alpha.kubernetes.io/critical-pod"
	if _, ok := annotations[critical]; !ok {
		return nil
	}
	return []string{fmt.Sprintf("%s: non-functional in v1.16+; use the %q field instead", path.Key(critical), "priorityClassName")}
}

func containerWarnings(c *corev1.Container, path *field.Path) []string {
	warnings := envWarnings(c.Env, path.Child("env"))
	warnings = append(warnings, portWarnings(c.Ports, path.Child("ports"))...)
	warnings = append(warnings, byteWarnings(c.Resources.Limits, path.Child("resources", "limits"))...)
	return append(warnings, byteWarnings(c.Resources.Requests, path.Child("resources", "requests"))...)
}

// byteWarnings tells of parts of a byte: "100m" of memory is most likely meant to be "100M".
func byteWarnings(list corev1.ResourceList, path *field.Path) []string {
	var warnings []string
	for _, name := range []corev1.ResourceName{corev1.ResourceEphemeralStorage, corev1.ResourceMemory} {
		if q, ok := list[name]; ok && q.MilliValue()%1000 != 0 {
			warnings = append(warnings, fmt.Sprintf("%s: fractional byte value %q is invalid, must be an integer", path.Key(string(name)), q.String()))
		}
	}
	return warnings
}

// envWarnings tells of variables that are set twice, other than to extend the first value.
func envWarnings(env []corev1.EnvVar, path *field.Path) []string {
	var warnings []string
	seen := map[string]bool{}
	for i, e := range env {
		if seen[e.Name] && !strings.Contains(e.Value, "$("+e.Name+")") {
			warnings = append(warnings, fmt.Sprintf("%s: hides previous definition of %q, which may be dropped when using apply", path.Index(i), e.Name))
		}
		seen[e.Name] = true
	}
	return warnings
}

// portWarnings tells of ports that are declared twice.
func portWarnings(ports []corev1.ContainerPort, path *field.Path) []string {
	var warnings []string
	for i, p := range ports {
		for j, q := range ports[:i] {
			if p.ContainerPort == q.ContainerPort && p.Protocol == q.Protocol && p.HostPort == q.HostPort && p.HostIP == q.HostIP {
				warnings = append(warnings, fmt.Sprintf("%s: duplicate port definition with %s", path.Index(i), path.Index(j)))
				break
			}
		}
	}
	return warnings
}
