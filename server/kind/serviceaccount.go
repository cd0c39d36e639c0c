package kind

import corev1 "k8s.io/api/core/v1"

// ServiceAccount is the identity that pods act under.
var ServiceAccount = &Kind{
	GroupVersionKind: core("ServiceAccount"),
	Resource:         "serviceaccounts",
	Singular:         "serviceaccount",
	ShortNames:       []string{"sa"},
	Namespaced:       true,
	New:              makes[corev1.ServiceAccount](),
	NewList:          makes[corev1.ServiceAccountList](),
}
