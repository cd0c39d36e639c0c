package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Event tells what happened to an object.
var Event = &Kind{
	GroupVersionKind: core("Event"),
	Resource:         "events",
	Singular:         "event",
	ShortNames:       []string{"ev"},
	Namespaced:       true,
	New:              makes[corev1.Event](),
	NewList:          makes[corev1.EventList](),

	CreateOnUpdate: true,

	Validate: validates(validateEvent),

	Fields:      valuesOf(eventFields),
	FieldLabels: labelsOf(eventFields),
	Columns: []metav1.TableColumnDefinition{
		column("Last Seen", "string", corev1.Event{}.SwaggerDoc()["lastTimestamp"]),
		column("Type", "string", corev1.Event{}.SwaggerDoc()["type"]),
		column("Reason", "string", corev1.Event{}.SwaggerDoc()["reason"]),
		column("Object", "string", corev1.Event{}.SwaggerDoc()["involvedObject"]),
		wide("Subobject", corev1.Event{}.InvolvedObject.SwaggerDoc()["fieldPath"]),
		wide("Source", corev1.Event{}.SwaggerDoc()["source"]),
		column("Message", "string", corev1.Event{}.SwaggerDoc()["message"]),
		wide("First Seen", corev1.Event{}.SwaggerDoc()["firstTimestamp"]),
		wide("Count", corev1.Event{}.SwaggerDoc()["count"]),
		wide("Name", metav1.ObjectMeta{}.SwaggerDoc()["name"]),
	},
	Row: prints(eventRow),
}

var eventFields = []selectable[*corev1.Event]{
	{"involvedObject.kind", func(e *corev1.Event) string { return e.InvolvedObject.Kind }},
	{"involvedObject.namespace", func(e *corev1.Event) string { return e.InvolvedObject.Namespace }},
	{"involvedObject.name", func(e *corev1.Event) string { return e.InvolvedObject.Name }},
	{"involvedObject.uid", func(e *corev1.Event) string { return string(e.InvolvedObject.UID) }},
	{"involvedObject.apiVersion", func(e *corev1.Event) string { return e.InvolvedObject.APIVersion }},
	{"involvedObject.resourceVersion", func(e *corev1.Event) string { return e.InvolvedObject.ResourceVersion }},
	{"involvedObject.fieldPath", func(e *corev1.Event) string { return e.InvolvedObject.FieldPath }},
	{"reason", func(e *corev1.Event) string { return e.Reason }},
	{"reportingComponent", func(e *corev1.Event) string { return e.ReportingController }},
	{"source", eventSource},
	{"type", func(e *corev1.Event) string { return e.Type }},
}

func eventSource(e *corev1.Event) string { return or(e.Source.Component, e.ReportingController) }

func eventRow(e *corev1.Event) []any {
	first := Age(e.FirstTimestamp)
	if !e.EventTime.IsZero() {
		first = Age(metav1.Time(e.EventTime))
	}
	object := strings.ToLower(e.InvolvedObject.Kind) + "/" + e.InvolvedObject.Name
	if e.InvolvedObject.Kind == "" {
		object = e.InvolvedObject.Name
	}
	return []any{
		eventSeen(e, first), e.Type, e.Reason, object, e.InvolvedObject.FieldPath, eventReporter(e),
		strings.TrimSpace(e.Message), first, eventCount(e), e.Name,
	}
}

// eventSeen prefers the series, with which newer clients count, over the event's own count.
func eventSeen(e *corev1.Event, first Age) Seen {
	if e.Series != nil {
		return Seen{First: first, Last: Age(metav1.Time(e.Series.LastObservedTime)), Count: e.Series.Count, Often: true}
	}
	return Seen{First: first, Last: Age(e.LastTimestamp), Count: e.Count, Often: e.Count > 1}
}

func eventReporter(e *corev1.Event) string {
	component := or(e.Source.Component, e.ReportingController)
	instance := or(e.Source.Host, e.ReportingInstance)
	if instance == "" {
		return component
	}
	return component + ", " + instance
}

func eventCount(e *corev1.Event) int64 {
	switch {
	case e.Series != nil:
		return int64(e.Series.Count)
	case e.Count == 0:
		return 1
	default:
		return int64(e.Count)
	}
}
