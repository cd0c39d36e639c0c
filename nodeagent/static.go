package nodeagent

import (
	"fmt"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/pod"
	"leme/nodeagent/staticpod"
)

// staticPods is where the pods of files come from; nil when there are none. What is wrong with a file, the node tells.
func (a *Agent) staticPods() (pod.Static, error) {
	if a.config.Manifests == "" {
		return nil, nil
	}
	path, err := filepath.Abs(a.config.Manifests)
	if err != nil {
		return nil, fmt.Errorf("the path of the static pods: %w", err)
	}
	return staticpod.Source{
		Path: path, Node: a.config.NodeName, Prepare: a.config.PreparePod, Logger: a.log,
		Wrong: func(message string) { a.tell(corev1.EventTypeWarning, "InvalidStaticPod", message) },
	}, nil
}
