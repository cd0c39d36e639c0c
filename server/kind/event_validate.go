package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxEventWord    = 128
	maxEventMessage = 1024
)

// validateEvent checks that an event lies beside what it tells of. Events with an eventTime come from newer clients,
// which say who reports.
func validateEvent(e *corev1.Event) field.ErrorList { return validateEventAs(e, "reportingComponent") }

// validateEventAs is what holds of events of both groups, which have different names for who reports.
func validateEventAs(e *corev1.Event, reporter string) field.ErrorList {
	var errs field.ErrorList
	if !eventBeside(e) {
		errs = append(errs, field.Invalid(field.NewPath("involvedObject", "namespace"), e.InvolvedObject.Namespace, "does not match event.namespace"))
	}
	if e.EventTime.IsZero() {
		return errs
	}
	controller := field.NewPath(reporter)
	errs = append(errs, required(controller, e.ReportingController)...)
	errs = append(errs, invalid(controller, e.ReportingController, validation.IsQualifiedName(e.ReportingController))...)
	for _, word := range []struct{ field, value string }{
		{"reportingInstance", e.ReportingInstance}, {"action", e.Action}, {"reason", e.Reason},
	} {
		errs = append(errs, required(field.NewPath(word.field), word.value)...)
		errs = append(errs, maxChars(field.NewPath(word.field), word.value, maxEventWord)...)
	}
	return append(errs, maxChars(field.NewPath("message"), e.Message, maxEventMessage)...)
}

// eventBeside tells whether an event is in its object's namespace. What has none is told of in the default one.
func eventBeside(e *corev1.Event) bool {
	object := e.InvolvedObject.Namespace
	switch {
	case object != "" && e.EventTime.IsZero():
		return e.Namespace == object
	case object != "":
		return true
	case e.EventTime.IsZero():
		return e.Namespace == metav1.NamespaceNone || e.Namespace == metav1.NamespaceDefault
	default:
		return e.Namespace == metav1.NamespaceDefault || e.Namespace == metav1.NamespaceSystem
	}
}

func maxChars(path *field.Path, text string, limit int) field.ErrorList {
	if len(text) <= limit {
		return nil
	}
	return field.ErrorList{field.Invalid(path, "", fmt.Sprintf("can have at most %d characters", limit))}
}
