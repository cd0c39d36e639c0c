package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConfigMap holds configuration for pods.
var ConfigMap = &Kind{
	GroupVersionKind: core("ConfigMap"),
	Resource:         "configmaps",
	Singular:         "configmap",
	ShortNames:       []string{"cm"},
	Namespaced:       true,
	New:              makes[corev1.ConfigMap](),
	NewList:          makes[corev1.ConfigMapList](),

	Validate:       validates(validateConfigMap),
	ValidateUpdate: validatesOver(validateConfigMapUpdate),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Data", "string", corev1.ConfigMap{}.SwaggerDoc()["data"]),
		ageColumn,
	},
	Row: prints(func(cm *corev1.ConfigMap) []any {
		return []any{cm.Name, int64(len(cm.Data) + len(cm.BinaryData)), age(cm)}
	}),
}
