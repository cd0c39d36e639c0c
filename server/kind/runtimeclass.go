package kind

import (
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RuntimeClass names a way to run containers, what it costs, and which nodes have it.
var RuntimeClass = &Kind{
	GroupVersionKind: nodev1.SchemeGroupVersion.WithKind("RuntimeClass"),
	Resource:         "runtimeclasses",
	Singular:         "runtimeclass",
	New:              makes[nodev1.RuntimeClass](),
	NewList:          makes[nodev1.RuntimeClassList](),

	ConditionalUpdate: true,
	CreateOnUpdate:    true,

	Default: changes(func(rc *nodev1.RuntimeClass) {
		if rc.Overhead != nil {
			roundResources(rc.Overhead.PodFixed)
		}
	}),
	Validate:       validates(validateRuntimeClass),
	ValidateUpdate: validatesOver(validateRuntimeClassUpdate),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Handler", "string", nodev1.RuntimeClass{}.SwaggerDoc()["handler"]),
		ageColumn,
	},
	Row: prints(func(rc *nodev1.RuntimeClass) []any { return []any{rc.Name, rc.Handler, age(rc)} }),
}
