package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"
	secretutil "k8s.io/cluster-bootstrap/util/secrets"

	"leme/server/kind"
	"leme/server/resource"
)

// newTokenCleaner removes bootstrap tokens that have expired.
func newTokenCleaner(e *environment) component {
	secrets := resource.For[*corev1.Secret](e.api, kind.Secret, "system:controller:token-cleaner")
	return &loop[objectKey]{
		name:    "tokencleaner",
		workers: 1,
		sources: []source[objectKey]{{of(e.api, kind.Secret), itself}},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			secret, ok := secrets.Get(key.Namespace, key.Name)
			if !ok || key.Namespace != metav1.NamespaceSystem || secret.Type != bootstrapapi.SecretTypeBootstrapToken {
				return 0, nil
			}
			left, expired := secretutil.GetExpiration(secret, e.now())
			if !expired {
				return left, nil
			}
			o := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(secret.UID))}
			return 0, ignoreGone(secrets.Delete(ctx, key.Namespace, key.Name, o))
		},
	}
}
