package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// The ConfigMap by which pods know the API server's certificate, mounted beside their token.
const (
	rootCAName = "kube-root-ca.crt"
	rootCAKey  = "ca.crt"
)

// newRootCA keeps the cluster's certificate authority in every active namespace.
func newRootCA(e *environment) component {
	const user = "system:controller:root-ca-cert-publisher"
	namespaces := resource.For[*corev1.Namespace](e.api, kind.Namespace, user)
	maps := resource.For[*corev1.ConfigMap](e.api, kind.ConfigMap, user)
	data := map[string]string{rootCAKey: string(e.CA)}
	return &loop[objectKey]{
		name:    "rootca",
		workers: 2,
		sources: []source[objectKey]{
			{of(e.api, kind.Namespace), itself},
			{of(e.api, kind.ConfigMap), namespaceOf("", rootCAName)},
		},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			if !active(namespaces, key.Name) {
				return 0, nil
			}
			if m, ok := maps.Get(key.Name, rootCAName); !ok {
				_, err := maps.Create(ctx, &corev1.ConfigMap{
					ObjectMeta: metav1.ObjectMeta{
						Namespace: key.Name, Name: rootCAName,
						Annotations: map[string]string{"kubernetes.io/description": "Contains a CA bundle that can be used to verify the API server's certificate."},
					},
					Data: data,
				})
				return 0, ignoreRace(err)
			} else if len(m.Data) == 1 && m.Data[rootCAKey] == data[rootCAKey] {
				return 0, nil
			}
			_, err := maps.Update(ctx, key.Name, rootCAName, func(m *corev1.ConfigMap) error {
				m.Data = data
				return nil
			})
			return 0, ignoreRace(err)
		},
	}
}
