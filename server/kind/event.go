package kind

import corev1 "k8s.io/api/core/v1"

// Event tells what happened to an object.
var Event = &Kind{
	GroupVersionKind: core("Event"),
	Resource:         "events",
	Singular:         "event",
	ShortNames:       []string{"ev"},
	Namespaced:       true,
	New:              makes[corev1.Event](),
	NewList:          makes[corev1.EventList](),
}
