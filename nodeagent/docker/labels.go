package docker

import (
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/pod"
)

// The labels of our containers. They are the agent's memory, so they never change.
const (
	LabelNode      = "leme.node" // every container of ours has it
	LabelUID       = "leme.pod.uid"
	LabelNamespace = "leme.pod.namespace"
	LabelPod       = "leme.pod.name"
	LabelContainer = "leme.pod.container"
	LabelImage     = "leme.pod.image" // as the spec names it; the engine is asked for the image's ID
	LabelAttempt   = "leme.pod.attempt"
	LabelHash      = "leme.pod.hash"
	LabelSandbox   = "leme.sandbox"
)

// labels are what every container of a pod carries.
func (r *Runtime) labels(p *corev1.Pod, attempt int) map[string]string {
	labels := maps.Clone(r.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelNode] = r.Node
	labels[LabelUID] = string(p.UID)
	labels[LabelNamespace] = p.Namespace
	labels[LabelPod] = p.Name
	labels[LabelAttempt] = strconv.Itoa(attempt)
	return labels
}

// identity reads back what labels wrote.
func identity(id string, labels map[string]string) pod.Container {
	attempt, _ := strconv.Atoi(labels[LabelAttempt]) // a label that someone broke counts as the first attempt
	return pod.Container{
		ID:           id,
		PodUID:       types.UID(labels[LabelUID]),
		PodNamespace: labels[LabelNamespace],
		PodName:      labels[LabelPod],
		Name:         labels[LabelContainer],
		Sandbox:      labels[LabelSandbox] == "true",
		Attempt:      attempt,
		Hash:         labels[LabelHash],
		Image:        labels[LabelImage],
	}
}

// containerName is one of a kind for an attempt, so that the engine itself refuses a duplicate.
func containerName(p *corev1.Pod, container string, attempt int) string {
	return fmt.Sprintf("leme_%s_%s_%s_%s_%d", container, p.Name, p.Namespace, p.UID, attempt)
}

// sandboxName stands where a container's name does; no container can be called so.
const sandboxName = "POD"
