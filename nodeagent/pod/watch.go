package pod

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"leme/nodeagent/object"
)

// watchPods follows the pods that are bound to this node. While the server is away the workers go on with what they know.
func (m *Manager) watchPods(ctx context.Context) {
	selector := "spec.nodeName=" + m.config.NodeName
	object.Follow(ctx, m.config.Client, m.config.Client.CoreV1().Pods(metav1.NamespaceAll), selector, &corev1.Pod{}, podStore{m})
}

// podStore is the manager as what a reflector fills (cache.ReflectorStore): the workers are the store.
type podStore struct{ m *Manager }

func (s podStore) Add(obj any) error    { s.m.ensure(obj.(*corev1.Pod), false); return nil }
func (s podStore) Update(obj any) error { s.m.ensure(obj.(*corev1.Pod), false); return nil }
func (s podStore) Resync() error        { return nil }

func (s podStore) Delete(obj any) error {
	if unknown, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	if pod, ok := obj.(*corev1.Pod); ok {
		s.m.lose(pod.UID, pod)
	}
	return nil
}

// Replace takes a whole list: pods that are not on it are gone, and from now on it is known which containers nobody owns.
func (s podStore) Replace(list []any, _ string) error {
	there := map[types.UID]bool{}
	for _, obj := range list {
		pod := obj.(*corev1.Pod)
		there[pod.UID] = true
		s.m.ensure(pod, false)
	}
	for _, uid := range s.m.setSynced() {
		if !there[uid] {
			s.m.lose(uid, nil)
		}
	}
	s.m.askRelist()
	return nil
}

// setSynced notes that the server has answered, and lists all pods with a worker.
func (m *Manager) setSynced() []types.UID {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.synced = true
	var all []types.UID
	for uid := range m.workers {
		all = append(all, uid)
	}
	return all
}
