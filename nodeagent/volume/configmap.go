package volume

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// configMap shows a ConfigMap's keys as files.
type configMap struct{}

func (configMap) Name() string                     { return "configMap" }
func (configMap) Uses(s *corev1.VolumeSource) bool { return s.ConfigMap != nil }

func (configMap) SetUp(ctx context.Context, r Request) (string, error) {
	s := r.Source.ConfigMap
	files := payload{}
	k := keys{name: s.Name, items: s.Items, mode: mode(s.DefaultMode), optional: isTrue(s.Optional)}
	if err := k.addConfigMap(ctx, r, files); err != nil {
		return "", err
	}
	return r.Dir, files.write(r.Dir, fsGroup(r.Pod))
}
