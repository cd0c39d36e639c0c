package kind

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestValidatePriorityClass(t *testing.T) {
	type class = *schedulingv1.PriorityClass
	base := func() class {
		return &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 1000}
	}
	checkChanges(t, PriorityClass, base, []change[class]{
		{"negative", func(pc class) { pc.Value = -5 }, nil},
		{"the most", func(pc class) { pc.Value = highestUserPriority }, nil},
		{"more than the most", func(pc class) { pc.Value = highestUserPriority + 1 }, []string{"value" + isForbidden}},
		{"policy", func(pc class) { pc.PreemptionPolicy = pointsTo(corev1.PreemptionPolicy("Always")) }, []string{"preemptionPolicy" + isNotSupported}},
		{"a system class", func(pc class) { pc.Name, pc.Value = "system-node-critical", 2_000_001_000 }, nil},
		{"a system class of another value", func(pc class) { pc.Name = "system-node-critical" }, []string{"metadata.name" + isForbidden}},
		{"a system class as default", func(pc class) { pc.Name, pc.Value, pc.GlobalDefault = "system-node-critical", 2_000_001_000, true }, []string{"metadata.name" + isForbidden}},
		{"unknown system class", func(pc class) { pc.Name = "system-mine" }, []string{"metadata.name" + isForbidden}},
	})
	checkUpdates(t, PriorityClass, base, []change[class]{
		{"description", func(pc class) { pc.Description = "x" }, nil},
		{"default", func(pc class) { pc.GlobalDefault = true }, nil},
		{"value", func(pc class) { pc.Value = 7 }, []string{"value" + isForbidden}},
		{"policy", func(pc class) { pc.PreemptionPolicy = pointsTo(corev1.PreemptNever) }, []string{"preemptionPolicy" + isInvalid}},
	})
}
