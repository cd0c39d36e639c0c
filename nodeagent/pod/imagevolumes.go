package pod

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"golang.org/x/sync/singleflight"
	corev1 "k8s.io/api/core/v1"
)

// ImageVolumes keeps images' files where containers can see them. nodeagent/imagevolume implements it.
type ImageVolumes interface {
	// Use gives the host's directory with the files of an image that the engine has. It stays while volume, the
	// directory of the volume that shows them, is there.
	Use(ctx context.Context, imageID, volume string) (string, error)
}

// imageVolumeFailed is how the message begins of a container that cannot see an image.
const imageVolumeFailed = "ImageVolumeMountFailed: "

// imageVolumes brings the images that are volumes of one pod. Containers that start at the same time wait for one pull.
type imageVolumes struct {
	pulls singleflight.Group // by volume
}

// of finds the files of the images that a container mounts, by volume. Each start of a container asks anew, by the volume's
// pull policy: what has changed by then the others do not see.
func (v *imageVolumes) of(ctx context.Context, s *starter) (map[string]string, error) {
	found := map[string]string{}
	var failed error
	for _, m := range s.container.VolumeMounts {
		source, asked := volumeOf(s.pod, m.Name), found[m.Name] != ""
		if source == nil || source.Image == nil || asked {
			continue
		}
		path, err := v.one(ctx, s, m.Name, source.Image)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			failed = err // the others are tried all the same
			continue
		}
		found[m.Name] = path
	}
	imageVolumesRequested.Add(float64(len(found)))
	return found, failed
}

func (v *imageVolumes) one(ctx context.Context, s *starter, name string, source *corev1.ImageVolumeSource) (string, error) {
	select {
	case r := <-v.pulls.DoChan(name, func() (any, error) { return s.bringVolume(ctx, name, source) }):
		path, _ := r.Val.(string)
		return path, r.Err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// bringVolume makes one image and its files present. What happens is told of the pod: the image is no container's.
func (s *starter) bringVolume(ctx context.Context, name string, source *corev1.ImageVolumeSource) (string, error) {
	deps := s.worker.deps
	if deps.ImageVolumes == nil {
		return "", &waitError{Reason: createError, Message: imageVolumeFailed + "this node does not show images as volumes"}
	}
	wanted := &corev1.Container{Name: s.container.Name, Image: source.Reference, ImagePullPolicy: source.PullPolicy}
	image, err := s.images(s.sayOfPod).ensure(ctx, wanted)
	if waits := (*waitError)(nil); errors.As(err, &waits) {
		return "", &waitError{Reason: waits.Reason, Message: waits.Message, Image: source.Reference}
	}
	if err != nil {
		return "", err
	}
	path, err := deps.ImageVolumes.Use(ctx, image.ID, s.build.paths[name])
	if err != nil {
		return "", imageVolumeError(ctx, err)
	}
	return path, nil
}

func imageVolumeError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	imageVolumesFailed.Inc()
	return &waitError{Reason: createError, Message: imageVolumeFailed + err.Error()}
}

// withImages is where volumes are, with those that are images.
func withImages(paths, images map[string]string) map[string]string {
	if len(images) == 0 {
		return paths
	}
	all := maps.Clone(paths)
	maps.Copy(all, images)
	return all
}

func volumeOf(pod *corev1.Pod, name string) *corev1.Volume {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].Name == name {
			return &pod.Spec.Volumes[i]
		}
	}
	return nil
}

// imageSubPath is a part of an image that a container mounts.
func (b builder) imageSubPath(path, sub, container string, index int) (string, error) {
	at, err := b.volumes.ImageSubPath(path, sub, container, index)
	if err != nil {
		imageVolumesFailed.Inc()
		return "", &waitError{Reason: createError, Message: fmt.Sprintf("%s%v", imageVolumeFailed, err)}
	}
	return at, nil
}
