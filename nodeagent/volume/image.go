package volume

import (
	"context"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// image shows the files of an image. Which image that is, a container's start finds out: so the directory made here only
// says, by what is put into it, whose files are in use.
type image struct{}

func (image) Name() string                     { return "image" }
func (image) Uses(s *corev1.VolumeSource) bool { return s.Image != nil }

func (image) SetUp(_ context.Context, r Request) (string, error) {
	return r.Dir, os.MkdirAll(r.Dir, 0o750)
}
