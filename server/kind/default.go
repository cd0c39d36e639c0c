package kind

import (
	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// setDefault fills in a value that was left out.
func setDefault[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

// setDefaultText fills in a text, or a number, that was left out.
func setDefaultText[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// roundResources rounds quantities up to thousandths: smaller parts are not stored.
func roundResources(list corev1.ResourceList) {
	for name, quantity := range list {
		quantity.RoundUp(resource.Milli)
		list[name] = quantity
	}
}

// defaultPullPolicy is to ask the registry each time for an image whose name may mean another one tomorrow.
func defaultPullPolicy(image string) corev1.PullPolicy {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return corev1.PullIfNotPresent
	}
	tagged, ok := reference.TagNameOnly(named).(reference.Tagged)
	if ok && tagged.Tag() == "latest" {
		return corev1.PullAlways
	}
	return corev1.PullIfNotPresent
}
