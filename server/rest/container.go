package rest

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// chooseContainer is the container that a request means: the one it names, or the pod's only one.
func chooseContainer(pod *corev1.Pod, name string) (string, error) {
	regular, initial := containerNames(pod.Spec.Containers), containerNames(pod.Spec.InitContainers)
	if name == "" {
		if len(regular) == 1 {
			return regular[0], nil
		}
		text := fmt.Sprintf("a container name must be specified for pod %s, choose one of: %v", pod.Name, regular)
		if len(initial) > 0 {
			text += fmt.Sprintf(" or one of the init containers: %v", initial)
		}
		return "", apierrors.NewBadRequest(text)
	}
	all := append(regular, initial...)
	for _, c := range pod.Spec.EphemeralContainers {
		all = append(all, c.Name)
	}
	for _, known := range all {
		if known == name {
			return name, nil
		}
	}
	return "", apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", name, pod.Name))
}

func containerNames(containers []corev1.Container) []string {
	names := make([]string, len(containers))
	for i, c := range containers {
		names[i] = c.Name
	}
	return names
}

// agentPath is a path of the agent's API about one of a pod's containers.
func agentPath(verb string, pod *corev1.Pod, container string) string {
	return "/" + strings.Join([]string{verb, pod.Namespace, pod.Name, container}, "/")
}
