package kind

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateNewEventsEvent checks a new event of events.k8s.io, whose clients must do without the old fields. The paths
// are those of the stored form, as Kubernetes gives them.
func validateNewEventsEvent(e *corev1.Event) field.ErrorList {
	errs := validateEventSeries(e.Series)
	if e.EventTime.IsZero() {
		errs = append(errs, field.Required(field.NewPath("eventTime"), ""))
	}
	if e.Type != corev1.EventTypeNormal && e.Type != corev1.EventTypeWarning {
		errs = append(errs, field.Invalid(field.NewPath("type"), "", fmt.Sprintf("has invalid value: %v", e.Type)))
	}
	for _, old := range []struct {
		field string
		set   bool
	}{
		{"firstTimestamp", !e.FirstTimestamp.IsZero()},
		{"lastTimestamp", !e.LastTimestamp.IsZero()},
		{"count", e.Count != 0},
		{"source", e.Source != corev1.EventSource{}},
	} {
		if old.set {
			errs = append(errs, field.Invalid(field.NewPath(old.field), "", "needs to be unset"))
		}
	}
	return errs
}

func validateEventSeries(s *corev1.EventSeries) field.ErrorList {
	var errs field.ErrorList
	if s == nil {
		return nil
	}
	if s.Count < 2 {
		errs = append(errs, field.Invalid(field.NewPath("series.count"), "", "should be at least 2"))
	}
	if s.LastObservedTime.IsZero() {
		errs = append(errs, field.Required(field.NewPath("series.lastObservedTime"), ""))
	}
	return errs
}

// validateEventsEventUpdate lets nothing of an event change but its series.
func validateEventsEventUpdate(updated, old *corev1.Event) field.ErrorList {
	var errs field.ErrorList
	if !equality.Semantic.DeepEqual(updated.Series, old.Series) {
		errs = append(errs, validateEventSeries(updated.Series)...)
	}
	kept := func(name string, updated, old any) {
		errs = append(errs, apivalidation.ValidateImmutableField(updated, old, field.NewPath(name))...)
	}
	kept("involvedObject", updated.InvolvedObject, old.InvolvedObject)
	kept("reason", updated.Reason, old.Reason)
	kept("message", updated.Message, old.Message)
	kept("source", updated.Source, old.Source)
	kept("firstTimestamp", updated.FirstTimestamp, old.FirstTimestamp)
	kept("lastTimestamp", updated.LastTimestamp, old.LastTimestamp)
	kept("count", updated.Count, old.Count)
	kept("type", updated.Type, old.Type)
	// Clients that read an event back may have lost what is finer than a microsecond.
	if !updated.EventTime.Truncate(time.Microsecond).Equal(old.EventTime.Truncate(time.Microsecond)) {
		kept("eventTime", updated.EventTime, old.EventTime)
	}
	kept("action", updated.Action, old.Action)
	kept("related", updated.Related, old.Related)
	kept("reportingController", updated.ReportingController, old.ReportingController)
	kept("reportingInstance", updated.ReportingInstance, old.ReportingInstance)
	return errs
}
