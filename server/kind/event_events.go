package kind

import (
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// EventsEvent is Event as events.k8s.io/v1 has it: the same objects, with newer names for their fields.
var EventsEvent = eventsEvent()

func eventsEvent() *Kind {
	k := Event.ServedAs(Version{
		GroupVersionKind: eventsv1.SchemeGroupVersion.WithKind("Event"),
		New:              makes[eventsv1.Event](),
		NewList:          makes[eventsv1.EventList](),
		ToStored:         converts(fromEventsEvent),
		FromStored:       converts(toEventsEvent),
	})
	k.Validate = validates(func(e *corev1.Event) field.ErrorList { return validateEventAs(e, "reportingController") })
	k.ValidateCreate = validates(validateNewEventsEvent)
	k.ValidateUpdate = validatesOver(validateEventsEventUpdate)
	k.Fields, k.FieldLabels = valuesOf(eventsEventFields), labelsOf(eventsEventFields)
	return k
}

var eventsEventFields = []selectable[*eventsv1.Event]{
	{"reason", func(e *eventsv1.Event) string { return e.Reason }},
	{"regarding.kind", func(e *eventsv1.Event) string { return e.Regarding.Kind }},
	{"regarding.namespace", func(e *eventsv1.Event) string { return e.Regarding.Namespace }},
	{"regarding.name", func(e *eventsv1.Event) string { return e.Regarding.Name }},
	{"regarding.uid", func(e *eventsv1.Event) string { return string(e.Regarding.UID) }},
	{"regarding.apiVersion", func(e *eventsv1.Event) string { return e.Regarding.APIVersion }},
	{"regarding.resourceVersion", func(e *eventsv1.Event) string { return e.Regarding.ResourceVersion }},
	{"regarding.fieldPath", func(e *eventsv1.Event) string { return e.Regarding.FieldPath }},
	{"reportingController", func(e *eventsv1.Event) string { return e.ReportingController }},
	{"type", func(e *eventsv1.Event) string { return e.Type }},
}

func fromEventsEvent(e *eventsv1.Event) (runtime.Object, error) {
	return &corev1.Event{
		ObjectMeta:          e.ObjectMeta,
		InvolvedObject:      e.Regarding,
		Reason:              e.Reason,
		Message:             e.Note,
		Source:              e.DeprecatedSource,
		FirstTimestamp:      e.DeprecatedFirstTimestamp,
		LastTimestamp:       e.DeprecatedLastTimestamp,
		Count:               e.DeprecatedCount,
		Type:                e.Type,
		EventTime:           e.EventTime,
		Series:              (*corev1.EventSeries)(e.Series),
		Action:              e.Action,
		Related:             e.Related,
		ReportingController: e.ReportingController,
		ReportingInstance:   e.ReportingInstance,
	}, nil
}

func toEventsEvent(e *corev1.Event) (runtime.Object, error) {
	return &eventsv1.Event{
		ObjectMeta:               e.ObjectMeta,
		EventTime:                e.EventTime,
		Series:                   (*eventsv1.EventSeries)(e.Series),
		ReportingController:      e.ReportingController,
		ReportingInstance:        e.ReportingInstance,
		Action:                   e.Action,
		Reason:                   e.Reason,
		Regarding:                e.InvolvedObject,
		Related:                  e.Related,
		Note:                     e.Message,
		Type:                     e.Type,
		DeprecatedSource:         e.Source,
		DeprecatedFirstTimestamp: e.FirstTimestamp,
		DeprecatedLastTimestamp:  e.LastTimestamp,
		DeprecatedCount:          e.Count,
	}, nil
}
