package pod

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	dockerref "github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Reasons of containers that wait for their image.
const (
	errImagePull        = "ErrImagePull"
	imagePullBackOff    = "ImagePullBackOff"
	errImageNever       = "ErrImageNeverPull"
	imageInspectError   = "ImageInspectError"
	invalidImageName    = "InvalidImageName"
	registryUnavailable = "RegistryUnavailable"
)

// imageReasons are those that events have explained by the time that a container waits for them.
var imageReasons = []string{errImagePull, errImageNever, imageInspectError, invalidImageName, registryUnavailable}

// pullFailed reports whether a reason is that of a pull, which is tried again more and more rarely.
func pullFailed(reason string) bool { return reason == errImagePull || reason == registryUnavailable }

// progressEvery is how often a long pull tells of its progress.
const progressEvery = 10 * time.Second

// images makes the images of one pod present, by each container's imagePullPolicy.
type images struct {
	runtime Runtime
	puller  Puller
	say     func(c *corev1.Container, kind, reason, message string)
	secrets func(ctx context.Context) []corev1.Secret
	show    func(c *corev1.Container, pulling string) // in the pod's status, how far it is; empty at its end
}

// ensure gives the image that a container is to be made of. Errors are *waitError, or ctx's.
//
//  1. its name must be one
//  2. the engine may have it, and the pod the right to use it
//  3. else it is pulled, unless the policy forbids that
func (i images) ensure(ctx context.Context, c *corev1.Container) (Image, error) {
	if _, err := dockerref.ParseAnyReference(c.Image); err != nil {
		message := fmt.Sprintf("Failed to apply default image tag %q: couldn't parse image name %q: %v", c.Image, c.Image, err)
		return Image{}, i.refuse(c, "InspectFailed", invalidImageName, message)
	}
	image, present, err := i.runtime.Image(ctx, c.Image)
	if ctx.Err() != nil { // the pod is to go
		return Image{}, ctx.Err()
	}
	if err != nil {
		return Image{}, i.refuse(c, "InspectFailed", imageInspectError, fmt.Sprintf("Failed to inspect image %q: %v", c.Image, err))
	}
	if present && c.ImagePullPolicy != corev1.PullAlways && i.mayUse(ctx, c, image) {
		i.say(c, corev1.EventTypeNormal, "Pulled", fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", c.Image))
		return image, nil
	}
	if c.ImagePullPolicy == corev1.PullNever {
		return Image{}, i.refuse(c, errImageNever, errImageNever, fmt.Sprintf("Container image %q is not present with pull policy of Never", c.Image))
	}
	return i.pull(ctx, c)
}

// refuse says why a container cannot have its image.
func (i images) refuse(c *corev1.Container, event, reason, message string) error {
	i.say(c, corev1.EventTypeWarning, event, message)
	return &waitError{Reason: reason, Message: message}
}

// mayUse asks for the pod's secrets only where an image that is here needs any.
func (i images) mayUse(ctx context.Context, c *corev1.Container, image Image) bool {
	return i.puller.MayUse(image.ID, c.Image, nil) || i.puller.MayUse(image.ID, c.Image, i.secrets(ctx))
}

func (i images) pull(ctx context.Context, c *corev1.Container) (Image, error) {
	begin := time.Now()
	i.say(c, corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", c.Image))
	defer i.show(c, "")
	image, err := i.puller.Pull(ctx, c.Image, i.secrets(ctx), i.progress(c, begin))
	if ctx.Err() != nil {
		return Image{}, ctx.Err()
	}
	if err != nil {
		i.say(c, corev1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", c.Image, err))
		return Image{}, pullError(c, err)
	}
	took := time.Since(begin).Round(time.Millisecond)
	i.say(c, corev1.EventTypeNormal, "Pulled", fmt.Sprintf("Successfully pulled image %q in %s (%s including waiting). Image size: %d bytes.",
		c.Image, took, took, image.Size))
	return image, nil
}

func pullError(c *corev1.Container, err error) error {
	if errors.Is(err, ErrRegistryUnavailable) {
		why := strings.TrimPrefix(err.Error(), ErrRegistryUnavailable.Error())
		return &waitError{Reason: registryUnavailable, Message: fmt.Sprintf("image pull failed for %s because the registry is unavailable%s", c.Image, why)}
	}
	return &waitError{Reason: errImagePull, Message: err.Error()}
}

// progress tells now and then how far a pull has come.
func (i images) progress(c *corev1.Container, last time.Time) func(PullProgress) {
	return func(p PullProgress) {
		if now := time.Now(); p.Total > 0 && now.Sub(last) >= progressEvery {
			last = now
			i.say(c, corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q: %s", c.Image, p))
			i.show(c, fmt.Sprintf("pulling image %q: %s", c.Image, p))
		}
	}
}

// String is a progress in words: 45% (22.0 MiB of 49.1 MiB, 3 of 8 layers).
func (p PullProgress) String() string {
	return fmt.Sprintf("%d%% (%s of %s, %d of %d layers)", p.Done*100/max(1, p.Total), size(p.Done), size(p.Total), p.LayersDone, p.Layers)
}

func size(bytes int64) string {
	const mebi = 1 << 20
	if bytes >= mebi {
		return fmt.Sprintf("%.1f MiB", float64(bytes)/mebi)
	}
	return resource.NewQuantity(bytes, resource.DecimalSI).String() + "B"
}

// pullSecrets reads a pod's imagePullSecrets; one that cannot be read is told of and left out, as it may not be needed.
func pullSecrets(ctx context.Context, pod *corev1.Pod, objects Objects, say func(kind, reason, message string)) []corev1.Secret {
	var all []corev1.Secret
	for _, ref := range pod.Spec.ImagePullSecrets {
		s, err := objects.Secret(ctx, pod.Namespace, ref.Name)
		switch {
		case apierrors.IsNotFound(err):
			say(corev1.EventTypeWarning, "FailedToRetrieveImagePullSecret",
				fmt.Sprintf("Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed.", ref.Name))
		case err != nil:
			say(corev1.EventTypeWarning, "FailedToRetrieveImagePullSecret", err.Error())
		default:
			all = append(all, *s)
		}
	}
	return all
}

// checkNonRoot refuses an image that would run as root where the pod forbids it.
func checkNonRoot(pod *corev1.Pod, c *corev1.Container, image Image) error {
	var must bool
	var uid *int64
	if sc := pod.Spec.SecurityContext; sc != nil {
		must = sc.RunAsNonRoot != nil && *sc.RunAsNonRoot
		uid = sc.RunAsUser
	}
	if sc := c.SecurityContext; sc != nil {
		if sc.RunAsNonRoot != nil {
			must = *sc.RunAsNonRoot
		}
		if sc.RunAsUser != nil {
			uid = sc.RunAsUser
		}
	}
	if !must {
		return nil
	}
	if uid != nil {
		if *uid == 0 {
			return fmt.Errorf("container's runAsUser breaks non-root policy (pod: %q, container: %s)", fullName(pod), c.Name)
		}
		return nil
	}
	return nonRootUser(pod, c, image.User)
}

func nonRootUser(pod *corev1.Pod, c *corev1.Container, user string) error {
	name, _, _ := strings.Cut(user, ":")
	number, err := strconv.ParseInt(name, 10, 64)
	switch {
	case name == "" || err == nil && number == 0:
		return fmt.Errorf("container has runAsNonRoot and image will run as root (pod: %q, container: %s)", fullName(pod), c.Name)
	case err != nil:
		return fmt.Errorf("container has runAsNonRoot and image has non-numeric user (%s), cannot verify user is non-root (pod: %q, container: %s)",
			name, fullName(pod), c.Name)
	}
	return nil
}
