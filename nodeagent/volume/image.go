package volume

import (
	"context"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
)

// image shows the files of an image. Which image that is, a container's start finds out: so the directory made here only
// says, by what is put into it, whose files are in use. No container sees it: what is in use is the agent's to say.
type image struct{}

// images is the directory of a pod with those of its volumes that are images.
const images = "images"

func (image) Name() string                     { return "image" }
func (image) Uses(s *corev1.VolumeSource) bool { return s.Image != nil }

func (image) SetUp(_ context.Context, r Request) (string, error) {
	dir := filepath.Join(filepath.Dir(filepath.Dir(r.Dir)), images, r.Name)
	return dir, os.MkdirAll(dir, 0o750)
}
