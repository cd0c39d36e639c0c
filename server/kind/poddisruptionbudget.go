package kind

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// PodDisruptionBudget says how many of some pods may be evicted at a time.
var PodDisruptionBudget = &Kind{
	GroupVersionKind: policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
	Resource:         "poddisruptionbudgets",
	Singular:         "poddisruptionbudget",
	ShortNames:       []string{"pdb"},
	Namespaced:       true,
	New:              makes[policyv1.PodDisruptionBudget](),
	NewList:          makes[policyv1.PodDisruptionBudgetList](),

	PrepareCreate:     creating(budgetParts),
	PrepareUpdate:     updating(budgetParts),
	PrepareStatus:     reporting(budgetParts),
	HasStatus:         true,
	ConditionalUpdate: true,

	Validate:       validates(validateBudget),
	ValidateStatus: validatesOver(validateBudgetStatus),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Min Available", "string", "The minimum number of pods that must be available."),
		column("Max Unavailable", "string", "The maximum number of pods that may be unavailable."),
		column("Allowed Disruptions", "integer", "Calculated number of pods that may be disrupted at this time."),
		ageColumn,
	},
	Row: prints(func(b *policyv1.PodDisruptionBudget) []any {
		return []any{b.Name, boundText(b.Spec.MinAvailable), boundText(b.Spec.MaxUnavailable), int64(b.Status.DisruptionsAllowed), age(b)}
	}),
}

func budgetParts(b *policyv1.PodDisruptionBudget) (*policyv1.PodDisruptionBudgetSpec, *policyv1.PodDisruptionBudgetStatus) {
	return &b.Spec, &b.Status
}

func boundText(bound *intstr.IntOrString) string {
	if bound == nil {
		return "N/A"
	}
	return bound.String()
}

func validateBudget(b *policyv1.PodDisruptionBudget) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if b.Spec.MinAvailable != nil && b.Spec.MaxUnavailable != nil {
		errs = append(errs, field.Invalid(path, b.Spec, "minAvailable and maxUnavailable cannot be both set"))
	}
	for _, bound := range []struct {
		field string
		value *intstr.IntOrString
	}{{"minAvailable", b.Spec.MinAvailable}, {"maxUnavailable", b.Spec.MaxUnavailable}} {
		if bound.value != nil {
			errs = append(errs, countOrPercent(*bound.value, path.Child(bound.field))...)
			errs = append(errs, atMostAll(*bound.value, path.Child(bound.field))...)
		}
	}
	errs = append(errs, labelSelector(path.Child("selector"), b.Spec.Selector)...)
	return append(errs, maybeOneOf(path.Child("unhealthyPodEvictionPolicy"), b.Spec.UnhealthyPodEvictionPolicy,
		policyv1.AlwaysAllow, policyv1.IfHealthyBudget)...)
}

func validateBudgetStatus(updated, _ *policyv1.PodDisruptionBudget) field.ErrorList {
	path, s := field.NewPath("status"), &updated.Status
	errs := metav1validation.ValidateConditions(s.Conditions, path.Child("conditions"))
	for _, n := range []replicaCount{
		{"disruptionsAllowed", s.DisruptionsAllowed}, {"currentHealthy", s.CurrentHealthy},
		{"desiredHealthy", s.DesiredHealthy}, {"expectedPods", s.ExpectedPods},
	} {
		errs = append(errs, n.nonNegative(path)...)
	}
	return errs
}
