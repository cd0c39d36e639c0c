package volume

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// projected joins several sources in one directory, in memory, since Secrets may be among them.
type projected struct{}

func (projected) Name() string                     { return "projected" }
func (projected) Uses(s *corev1.VolumeSource) bool { return s.Projected != nil }

func (projected) SetUp(ctx context.Context, r Request) (string, error) {
	s := r.Source.Projected
	files := payload{}
	for i := range s.Sources {
		if err := addProjection(ctx, r, &s.Sources[i], mode(s.DefaultMode), files); err != nil {
			return "", err
		}
	}
	return r.Dir, files.writeInMemory(r)
}

func addProjection(ctx context.Context, r Request, p *corev1.VolumeProjection, m os.FileMode, to payload) error {
	switch {
	case p.ConfigMap != nil:
		k := keys{name: p.ConfigMap.Name, items: p.ConfigMap.Items, mode: m, optional: isTrue(p.ConfigMap.Optional)}
		return k.addConfigMap(ctx, r, to)
	case p.Secret != nil:
		k := keys{name: p.Secret.Name, items: p.Secret.Items, mode: m, optional: isTrue(p.Secret.Optional)}
		return k.addSecret(ctx, r, to)
	case p.DownwardAPI != nil:
		return addDownward(r, p.DownwardAPI.Items, m, to)
	case p.ServiceAccountToken != nil:
		return addToken(ctx, r, p.ServiceAccountToken, m, to)
	case p.ClusterTrustBundle != nil:
		return addTrustAnchors(ctx, r, p.ClusterTrustBundle, m, to)
	}
	return fmt.Errorf("projected source %s is not supported", unsupportedProjection(p))
}

// addToken writes a token of the pod's service account. Where the pod has one user or a group for it, nobody else can
// read it.
func addToken(ctx context.Context, r Request, source *corev1.ServiceAccountTokenProjection, m os.FileMode, to payload) error {
	token, err := r.Objects.Token(ctx, r.Pod, source)
	if err != nil {
		return err
	}
	user := fsUser(r.Pod)
	if user >= 0 || fsGroup(r.Pod) >= 0 {
		m = 0o600
	}
	to[source.Path] = file{Data: []byte(token), Mode: m, User: max(user, 0)}
	return nil
}

// unsupportedProjection names the source that the agent cannot project; empty when it can.
func unsupportedProjection(p *corev1.VolumeProjection) string {
	switch {
	case p.PodCertificate != nil:
		return "podCertificate"
	case p.ConfigMap == nil && p.Secret == nil && p.DownwardAPI == nil && p.ServiceAccountToken == nil && p.ClusterTrustBundle == nil:
		return "none"
	}
	return ""
}
