package podsecurity

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// maxExisting is how many pods are looked at when a namespace becomes stricter.
const maxExisting = 3000

// Existing is what a client should hear about the pods that are there already, in the order of their names, when this
// is to be the policy of their namespace.
func (p Policy) Existing(namespace string, pods []*corev1.Pod) []string {
	found := map[string][]string{} // the pods by what is wrong with them
	for _, pod := range pods[:min(len(pods), maxExisting)] {
		if r := check(p.Policy.Enforce, &pod.ObjectMeta, &pod.Spec); !r.Allowed {
			found[r.ForbiddenReason()] = append(found[r.ForbiddenReason()], pod.Name)
		}
	}
	var warnings []string
	if len(pods) > maxExisting {
		warnings = append(warnings, fmt.Sprintf("new PodSecurity enforce level only checked against the first %d of %d existing pods", maxExisting, len(pods)))
	}
	if len(found) == 0 {
		return warnings
	}
	warnings = append(warnings, fmt.Sprintf("existing pods in namespace %q violate the new PodSecurity enforce level %q", namespace, p.Policy.Enforce.String()))
	var each []string
	for reason, names := range found {
		each = append(each, inWords(names)+": "+reason)
	}
	slices.Sort(each)
	return append(warnings, each...)
}

func inWords(names []string) string {
	switch others := len(names) - 1; others {
	case 0:
		return names[0]
	case 1:
		return names[0] + " (and 1 other pod)"
	default:
		return fmt.Sprintf("%s (and %d other pods)", names[0], others)
	}
}
