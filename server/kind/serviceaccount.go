package kind

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ServiceAccount is the identity that pods act under.
var ServiceAccount = &Kind{
	GroupVersionKind: core("ServiceAccount"),
	Resource:         "serviceaccounts",
	Singular:         "serviceaccount",
	ShortNames:       []string{"sa"},
	Namespaced:       true,
	New:              makes[corev1.ServiceAccount](),
	NewList:          makes[corev1.ServiceAccountList](),

	Subresources: []Subresource{
		request[authenticationv1.TokenRequest]("token", authenticationv1.SchemeGroupVersion.WithKind("TokenRequest")),
	},

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Secrets", "string", corev1.ServiceAccount{}.SwaggerDoc()["secrets"]),
		ageColumn,
	},
	Row: prints(func(sa *corev1.ServiceAccount) []any {
		return []any{sa.Name, int64(len(sa.Secrets)), age(sa)}
	}),
}
