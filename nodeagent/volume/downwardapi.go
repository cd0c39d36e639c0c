package volume

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// downwardAPI shows fields of the pod itself as files.
type downwardAPI struct{}

func (downwardAPI) Name() string                     { return "downwardAPI" }
func (downwardAPI) Uses(s *corev1.VolumeSource) bool { return s.DownwardAPI != nil }

func (downwardAPI) SetUp(_ context.Context, r Request) (string, error) {
	s := r.Source.DownwardAPI
	files := payload{}
	if err := addDownward(r, s.Items, mode(s.DefaultMode), files); err != nil {
		return "", err
	}
	return r.Dir, files.write(r.Dir, fsGroup(r.Pod))
}

func addDownward(r Request, items []corev1.DownwardAPIVolumeFile, defaultMode os.FileMode, to payload) error {
	for _, item := range items {
		value, err := downwardValue(r, &item)
		if err != nil {
			return fmt.Errorf("%s: %w", item.Path, err)
		}
		m := defaultMode
		if item.Mode != nil {
			m = mode(item.Mode)
		}
		to[item.Path] = file{Data: []byte(value), Mode: m}
	}
	return nil
}

func downwardValue(r Request, item *corev1.DownwardAPIVolumeFile) (string, error) {
	switch {
	case item.FieldRef != nil:
		return r.Fields.Field(r.Pod, item.FieldRef)
	case item.ResourceFieldRef != nil:
		return r.Fields.Resource(r.Pod, item.ResourceFieldRef)
	}
	return "", fmt.Errorf("neither fieldRef nor resourceFieldRef is set")
}
