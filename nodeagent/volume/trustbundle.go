package volume

import (
	"context"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// addTrustAnchors writes certificates that the pod may trust.
func addTrustAnchors(ctx context.Context, r Request, source *corev1.ClusterTrustBundleProjection, m os.FileMode, to payload) error {
	anchors, err := r.Objects.TrustAnchors(ctx, source)
	if err != nil {
		return err
	}
	to[source.Path] = file{Data: anchors, Mode: m}
	return nil
}
