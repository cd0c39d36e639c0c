package kind

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// oldLabels are labels of nodes that are not to be used any more and have no other name.
var oldLabels = map[string]string{
	"app.kubernetes.io/created-by":                  "deprecated since v1.9",
	"scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
	"node-role.kubernetes.io/master":                `use "node-role.kubernetes.io/control-plane" instead`,
}

// oldLabel says what to use instead of a node's label; empty for a good one.
func oldLabel(label string) string {
	if now, ok := renamedLabels[label]; ok {
		return fmt.Sprintf("deprecated since %s; use %q instead", now.since, now.label)
	}
	return oldLabels[label]
}

func nodeTermWarnings(term *corev1.NodeSelectorTerm, path *field.Path) []string {
	var warnings []string
	for i, r := range term.MatchExpressions {
		if old := oldLabel(r.Key); old != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s is %s", path.Child("matchExpressions").Index(i).Child("key"), r.Key, old))
		}
	}
	return warnings
}

// nodeLabelWarnings are those for a selector of nodes by their labels.
func nodeLabelWarnings(s *metav1.LabelSelector, path *field.Path) []string {
	if s == nil {
		return nil
	}
	var warnings []string
	for i, r := range s.MatchExpressions {
		if old := oldLabel(r.Key); old != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s is %s", path.Child("matchExpressions").Index(i).Child("key"), r.Key, old))
		}
	}
	for _, label := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		if old := oldLabel(label); old != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s", path.Child("matchLabels").Child(label), old))
		}
	}
	return warnings
}
