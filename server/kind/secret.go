package kind

import corev1 "k8s.io/api/core/v1"

// Secret holds what only the pods that name it should read.
var Secret = &Kind{
	GroupVersionKind: core("Secret"),
	Resource:         "secrets",
	Singular:         "secret",
	Namespaced:       true,
	New:              makes[corev1.Secret](),
	NewList:          makes[corev1.SecretList](),
}
