package volume

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// isHugePages says whether a medium is huge pages of a size that it names.
func isHugePages(medium corev1.StorageMedium) bool {
	return strings.HasPrefix(string(medium), string(corev1.StorageMediumHugePagesPrefix))
}

func mountHugePages(pod *corev1.Pod, medium corev1.StorageMedium, dir string) error {
	size, err := pageSize(pod, medium)
	if err != nil {
		return err
	}
	options := fmt.Sprintf("mode=777,pagesize=%d", size.Value())
	if err := unix.Mount("nodev", dir, "hugetlbfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mounting huge pages of %s: %w", size.String(), err)
	}
	return nil
}

// pageSize is the size that the medium names, or the one of which the pod asks for pages.
func pageSize(pod *corev1.Pod, medium corev1.StorageMedium) (resource.Quantity, error) {
	if isHugePages(medium) {
		named := strings.TrimPrefix(string(medium), string(corev1.StorageMediumHugePagesPrefix))
		size, err := resource.ParseQuantity(named)
		if err != nil {
			return resource.Quantity{}, fmt.Errorf("medium %s names no size of pages: %w", medium, err)
		}
		return size, nil
	}
	sizes := map[string]resource.Quantity{}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if err := addPageSizes(&list[i], sizes); err != nil {
				return resource.Quantity{}, err
			}
		}
	}
	for _, size := range sizes {
		if len(sizes) == 1 {
			return size, nil
		}
		return resource.Quantity{}, fmt.Errorf("medium: %s can't be used if container requests multiple huge page sizes", medium)
	}
	return resource.Quantity{}, errors.New("hugePages storage requested, but there is no resource request for huge pages")
}

func addPageSizes(c *corev1.Container, to map[string]resource.Quantity) error {
	for name := range c.Resources.Requests {
		if text, ok := strings.CutPrefix(string(name), corev1.ResourceHugePagesPrefix); ok {
			size, err := resource.ParseQuantity(text)
			if err != nil {
				return fmt.Errorf("resource %s names no size of pages: %w", name, err)
			}
			to[size.String()] = size
		}
	}
	return nil
}
