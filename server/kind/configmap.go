package kind

import corev1 "k8s.io/api/core/v1"

// ConfigMap holds configuration for pods.
var ConfigMap = &Kind{
	GroupVersionKind: core("ConfigMap"),
	Resource:         "configmaps",
	Singular:         "configmap",
	ShortNames:       []string{"cm"},
	Namespaced:       true,
	New:              makes[corev1.ConfigMap](),
	NewList:          makes[corev1.ConfigMapList](),
}
