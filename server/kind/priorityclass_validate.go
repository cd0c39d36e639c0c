package kind

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// systemPriorityPrefix starts the names that only the system's own classes have.
const systemPriorityPrefix = "system-"

func validatePriorityClass(pc *schedulingv1.PriorityClass) field.ErrorList {
	var errs field.ErrorList
	if strings.HasPrefix(pc.Name, systemPriorityPrefix) {
		if problem := notSystemPriority(pc); problem != "" {
			errs = append(errs, field.Forbidden(field.NewPath("metadata", "name"), fmt.Sprintf(
				"priority class names with '%s' prefix are reserved for system use only. error: %s", systemPriorityPrefix, problem)))
		}
	} else if pc.Value > highestUserPriority {
		errs = append(errs, field.Forbidden(field.NewPath("value"),
			fmt.Sprintf("maximum allowed value of a user defined priority is %d", highestUserPriority)))
	}
	return append(errs, maybeOneOf(field.NewPath("preemptionPolicy"), pc.PreemptionPolicy,
		corev1.PreemptLowerPriority, corev1.PreemptNever)...)
}

// notSystemPriority says in what a class differs from the system's own of that name; empty when it does not.
func notSystemPriority(pc *schedulingv1.PriorityClass) string {
	for _, system := range SystemPriorityClasses() {
		switch {
		case system.Name != pc.Name:
		case system.Value != pc.Value:
			return fmt.Sprintf("value of %v PriorityClass must be %v", system.Name, system.Value)
		case system.GlobalDefault != pc.GlobalDefault:
			return fmt.Sprintf("globalDefault of %v PriorityClass must be %v", system.Name, system.GlobalDefault)
		default:
			return ""
		}
	}
	return pc.Name + " is not a known system priority class"
}

func validatePriorityClassUpdate(updated, old *schedulingv1.PriorityClass) field.ErrorList {
	var errs field.ErrorList
	if updated.Value != old.Value {
		errs = append(errs, field.Forbidden(field.NewPath("value"), "may not be changed in an update."))
	}
	return append(errs, apivalidation.ValidateImmutableField(updated.PreemptionPolicy, old.PreemptionPolicy, field.NewPath("preemptionPolicy"))...)
}
