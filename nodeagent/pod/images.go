package pod

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Reasons of containers that wait for their image.
const (
	errImagePull      = "ErrImagePull"
	imagePullBackOff  = "ImagePullBackOff"
	errImageNever     = "ErrImageNeverPull"
	imageInspectError = "ImageInspectError"
)

// progressEvery is how often a long pull tells of its progress.
const progressEvery = 10 * time.Second

// images makes the images of one pod present, by each container's imagePullPolicy.
type images struct {
	runtime Runtime
	puller  Puller
	say     func(c *corev1.Container, kind, reason, message string)
	secrets func(ctx context.Context) []corev1.Secret
}

// ensure gives the image that a container is to be made of. Errors are *waitError, or ctx's.
func (i images) ensure(ctx context.Context, c *corev1.Container) (Image, error) {
	image, present, err := i.runtime.Image(ctx, c.Image)
	if ctx.Err() != nil { // the pod is to go
		return Image{}, ctx.Err()
	}
	if err != nil {
		i.say(c, corev1.EventTypeWarning, "InspectFailed", fmt.Sprintf("Failed to inspect image %q: %v", c.Image, err))
		return Image{}, &waitError{imageInspectError, fmt.Sprintf("Failed to inspect image %q: %v", c.Image, err)}
	}
	switch {
	case present && c.ImagePullPolicy != corev1.PullAlways:
		i.say(c, corev1.EventTypeNormal, "Pulled", fmt.Sprintf("Container image %q already present on machine", c.Image))
		return image, nil
	case c.ImagePullPolicy == corev1.PullNever:
		message := fmt.Sprintf("Container image %q is not present with pull policy of Never", c.Image)
		i.say(c, corev1.EventTypeWarning, errImageNever, message)
		return Image{}, &waitError{errImageNever, message}
	}
	return i.pull(ctx, c)
}

func (i images) pull(ctx context.Context, c *corev1.Container) (Image, error) {
	begin := time.Now()
	i.say(c, corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", c.Image))
	image, err := i.puller.Pull(ctx, c.Image, i.secrets(ctx), i.progress(c, begin))
	if ctx.Err() != nil {
		return Image{}, ctx.Err()
	}
	if err != nil {
		i.say(c, corev1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", c.Image, err))
		return Image{}, &waitError{errImagePull, err.Error()}
	}
	took := time.Since(begin).Round(time.Millisecond)
	i.say(c, corev1.EventTypeNormal, "Pulled", fmt.Sprintf("Successfully pulled image %q in %s (%s including waiting). Image size: %d bytes.",
		c.Image, took, took, image.Size))
	return image, nil
}

// progress tells now and then how far a pull has come.
func (i images) progress(c *corev1.Container, last time.Time) func(done, total int64) {
	return func(done, total int64) {
		if now := time.Now(); total > 0 && now.Sub(last) >= progressEvery {
			last = now
			i.say(c, corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q: %d%% (%s of %s)",
				c.Image, done*100/total, size(done), size(total)))
		}
	}
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
