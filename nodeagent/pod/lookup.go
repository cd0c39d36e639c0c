package pod

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// Lookup finds a pod of this node, as the API has it; with an empty uid the one that has the name now. Read-only.
func (m *Manager) Lookup(namespace, name, uid string) (*corev1.Pod, bool) {
	if w := m.find(namespace, name, uid); w != nil {
		pod, _ := w.seen()
		return pod, true
	}
	return nil, false
}

// List gives all pods that the API has bound to this node. Read-only.
func (m *Manager) List() []*corev1.Pod {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*corev1.Pod
	for _, w := range m.workers {
		w.mail.mu.Lock()
		if !w.mail.gone {
			all = append(all, w.mail.pod)
		}
		w.mail.mu.Unlock()
	}
	return all
}

// ContainerID gives the engine's ID of a container's newest attempt that has run, or of the one before. The errors are
// the kubelet's.
func (m *Manager) ContainerID(namespace, pod, container string, previous bool) (string, error) {
	w := m.find(namespace, pod, "")
	if w == nil {
		return "", apierrors.NewNotFound(corev1.Resource("pods"), pod)
	}
	p, containers := w.seen()
	if containerOf(p, container) == nil {
		return "", fmt.Errorf("container %s is not valid for pod %s", container, pod)
	}
	ran := groupOf(containers).byName[container]
	for len(ran) > 0 && ran[0].State == Created {
		ran = ran[1:]
	}
	if previous {
		return previousID(ran, p, container)
	}
	if len(ran) == 0 {
		return "", fmt.Errorf("container %q in pod %q is waiting to start: %s", container, pod, waitingFor(p, container))
	}
	return ran[0].ID, nil
}

// previousID: while a container waits for its restart, the attempt that ended last is the previous one too.
func previousID(ran []Container, p *corev1.Pod, container string) (string, error) {
	waits := (&View{Pod: p}).reported(container)
	for i, c := range ran {
		if c.State == Exited && (i > 0 || waits != nil && waits.State.Waiting != nil) {
			return c.ID, nil
		}
	}
	return "", fmt.Errorf("previous terminated container %q in pod %q not found", container, p.Name)
}

func waitingFor(p *corev1.Pod, container string) string {
	s := (&View{Pod: p}).reported(container)
	switch {
	case s == nil || s.State.Waiting == nil:
		return "ContainerCreating"
	case s.State.Waiting.Reason == errImagePull:
		return "image can't be pulled"
	case s.State.Waiting.Reason == imagePullBackOff:
		return "trying and failing to pull image"
	}
	return strings.TrimSpace(s.State.Waiting.Reason)
}

// Volumes gives where on this host a pod's volumes are, by name, once they are set up. Read-only.
func (m *Manager) Volumes(uid types.UID) map[string]string {
	w := m.worker(uid)
	if w == nil {
		return nil
	}
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	return w.mail.paths
}

// find prefers a pod that the API still has over one of the same name that is being cleaned away.
func (m *Manager) find(namespace, name, uid string) *worker {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found *worker
	for _, w := range m.workers {
		w.mail.mu.Lock()
		p, gone := w.mail.pod, w.mail.gone
		w.mail.mu.Unlock()
		if p.Namespace != namespace || p.Name != name || uid != "" && string(p.UID) != uid && !w.isShownAs(uid) {
			continue
		}
		if !gone {
			return w
		}
		found = w
	}
	return found
}

// seen is the pod and its containers as others may see them.
func (w *worker) seen() (*corev1.Pod, []Container) {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	return w.mail.pod, w.mail.containers
}
