package volume

import (
	"context"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// secret shows a Secret's keys as files, in memory: they never reach the host's disk.
type secret struct{}

func (secret) Name() string                     { return "secret" }
func (secret) Uses(s *corev1.VolumeSource) bool { return s.Secret != nil }

func (secret) SetUp(ctx context.Context, r Request) (string, error) {
	s := r.Source.Secret
	files := payload{}
	k := keys{name: s.SecretName, items: s.Items, mode: mode(s.DefaultMode), optional: isTrue(s.Optional)}
	if err := k.addSecret(ctx, r, files); err != nil {
		return "", err
	}
	return r.Dir, files.writeInMemory(r)
}

// writeInMemory is write on a tmpfs.
func (p payload) writeInMemory(r Request) error {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return err
	}
	if err := mountTmpfs(r.Dir, 0, 0o755); err != nil {
		return err
	}
	return p.write(r.Dir, fsGroup(r.Pod))
}
