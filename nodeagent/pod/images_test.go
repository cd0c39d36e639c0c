package pod

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestEnsure takes images by each policy, as the kubelet does.
func TestEnsure(t *testing.T) {
	const here = "already present on machine and can be accessed by the pod"
	secret := []corev1.Secret{{}}
	for _, c := range []struct {
		image   string
		policy  corev1.PullPolicy
		secrets []corev1.Secret
		reason  string   // of the wait; empty when the container has its image
		says    []string // the reasons of the events, with a part of what they say
	}{
		{"present:1", corev1.PullIfNotPresent, nil, "", []string{"Pulled " + here}},
		{"present:1", corev1.PullNever, nil, "", []string{"Pulled " + here}},
		{"present:1", corev1.PullAlways, nil, errImagePull, []string{"Pulling image", "Failed to pull image"}},
		{"good:1", corev1.PullIfNotPresent, nil, "", []string{"Pulling image", "Successfully pulled image"}},
		{"good:1", corev1.PullNever, nil, errImageNever, []string{"is not present with pull policy of Never"}},
		{"private:1", corev1.PullIfNotPresent, nil, errImagePull, []string{"Pulling image", "Failed to pull image"}},
		{"private:1", corev1.PullIfNotPresent, secret, "", []string{"Pulled " + here}},
		{"private:1", corev1.PullNever, nil, errImageNever, []string{"is not present with pull policy of Never"}},
		{"far:1", corev1.PullIfNotPresent, nil, registryUnavailable, []string{"Pulling image", "Failed to pull image"}},
		{"Not A:Name", corev1.PullIfNotPresent, nil, invalidImageName, []string{"InspectFailed Failed to apply default image tag"}},
	} {
		t.Run(c.image+" "+string(c.policy), func(t *testing.T) {
			e := newEngine("present:1", "private:1")
			var said []string
			i := images{
				runtime: e, puller: e, show: func(*corev1.Container, string) {},
				say:     func(_ *corev1.Container, _, reason, message string) { said = append(said, reason+" "+message) },
				secrets: func(context.Context) []corev1.Secret { return c.secrets },
			}
			image, err := i.ensure(t.Context(), &corev1.Container{Image: c.image, ImagePullPolicy: c.policy})
			var waits *waitError
			if errors.As(err, &waits) != (c.reason != "") || waits != nil && waits.Reason != c.reason || err == nil && image.ID == "" {
				t.Errorf("image %+v, error %v, want %q", image, err, c.reason)
			}
			if !slices.EqualFunc(said, c.says, func(got, want string) bool {
				return strings.Contains(strings.ReplaceAll(got, `"`+c.image+`" `, ""), strings.TrimPrefix(want, "Pulled "))
			}) {
				t.Errorf("said %q, want %q", said, c.says)
			}
		})
	}
	unavailable := pullError(&corev1.Container{Image: "far:1"}, errors.Join(ErrRegistryUnavailable))
	if want := "RegistryUnavailable: image pull failed for far:1 because the registry is unavailable"; unavailable.Error() != want {
		t.Errorf("%q, want %q", unavailable, want)
	}
}

// TestPullProgress tells of a long pull every ten seconds, in events and for the status.
func TestPullProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said, shown []string
		i := images{
			say:  func(_ *corev1.Container, _, _, message string) { said = append(said, message) },
			show: func(_ *corev1.Container, pulling string) { shown = append(shown, pulling) },
		}
		tell := i.progress(&corev1.Container{Image: "img:1"}, time.Now())
		for n := range int64(100) {
			<-time.After(300 * time.Millisecond)
			tell(PullProgress{Done: n << 20, Total: 100 << 20, LayersDone: int(n) / 20, Layers: 5})
		}
		want := `Pulling image "img:1": 33% (33.0 MiB of 100.0 MiB, 1 of 5 layers)`
		if len(said) != 2 || said[0] != want || shown[0] != strings.Replace(want, "P", "p", 1) {
			t.Errorf("said %q, shown %q", said, shown)
		}
	})
}
