package kind

import (
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// PriorityClass gives a name to how important pods are.
var PriorityClass = &Kind{
	GroupVersionKind: schedulingv1.SchemeGroupVersion.WithKind("PriorityClass"),
	Resource:         "priorityclasses",
	Singular:         "priorityclass",
	ShortNames:       []string{"pc"},
	New:              makes[schedulingv1.PriorityClass](),
	NewList:          makes[schedulingv1.PriorityClassList](),

	Default: changes(func(pc *schedulingv1.PriorityClass) {
		setDefault(&pc.PreemptionPolicy, corev1.PreemptLowerPriority)
	}),
	PrepareCreate: changes(func(pc *schedulingv1.PriorityClass) { pc.Generation = 1 }),
	PrepareUpdate: changesOver(func(updated, old *schedulingv1.PriorityClass) { updated.Generation = old.Generation }),

	Validate:       validates(validatePriorityClass),
	ValidateUpdate: validatesOver(validatePriorityClassUpdate),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Value", "integer", schedulingv1.PriorityClass{}.SwaggerDoc()["value"]),
		column("Global-Default", "boolean", schedulingv1.PriorityClass{}.SwaggerDoc()["globalDefault"]),
		ageColumn,
		column("PreemptionPolicy", "string", schedulingv1.PriorityClass{}.SwaggerDoc()["preemptionPolicy"]),
	},
	Row: prints(func(pc *schedulingv1.PriorityClass) []any {
		return []any{pc.Name, int64(pc.Value), pc.GlobalDefault, age(pc), string(ptr.Deref(pc.PreemptionPolicy, ""))}
	}),
}

// highestUserPriority is the most that a class of a user's may be worth; above it are the system's.
const highestUserPriority = 1_000_000_000

// SystemPriorityClasses are the classes that are in every cluster.
func SystemPriorityClasses() []*schedulingv1.PriorityClass {
	system := func(name string, value int32, description string) *schedulingv1.PriorityClass {
		return &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value, Description: description}
	}
	return []*schedulingv1.PriorityClass{
		system("system-node-critical", 2*highestUserPriority+1000,
			"Used for system critical pods that must not be moved from their current node."),
		system("system-cluster-critical", 2*highestUserPriority,
			"Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
	}
}
