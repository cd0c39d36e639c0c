package pod

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"leme/nodeagent/object"
)

// watchPods follows the pods that are bound to this node, once those from files are known: what runs here and belongs to
// neither is taken away. While the server is away the workers go on with what they know.
func (m *Manager) watchPods(ctx context.Context) {
	select {
	case <-m.staticKnown:
	case <-ctx.Done():
		return
	}
	selector := "spec.nodeName=" + m.config.NodeName
	object.Follow(ctx, m.config.Client, m.config.Client.CoreV1().Pods(metav1.NamespaceAll), selector, &corev1.Pod{}, &podStore{m: m})
}

// podStore is the manager as what a reflector fills (cache.ReflectorStore): the workers are the store.
type podStore struct {
	m    *Manager
	seen revision // the newest one that the API told of
}

func (s *podStore) Add(obj any) error    { s.m.take(obj.(*corev1.Pod), 0); return nil }
func (s *podStore) Update(obj any) error { s.m.take(obj.(*corev1.Pod), 0); return nil }
func (s *podStore) Resync() error        { return nil }

// UpdateResourceVersion notes how far the API has told (cache.ResourceVersionUpdater).
func (s *podStore) UpdateResourceVersion(v string) { s.seen = parseRevision(v) }

func (s *podStore) Delete(obj any) error {
	if unknown, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	if pod, ok := obj.(*corev1.Pod); ok && isMirror(pod) {
		s.m.mirrors.lose(pod)
	} else if ok {
		s.m.lose(pod.UID, pod)
	}
	return nil
}

// Replace takes a whole list: pods that are not on it are gone, and from now on it is known which containers nobody owns.
// A list of before what was told is of a server that has gone back to a backup.
func (s *podStore) Replace(list []any, v string) error {
	asOf := parseRevision(v)
	if asOf < s.seen {
		s.m.config.Logger.Warn("the server has gone back to an earlier state", "from", s.seen, "to", asOf)
		asOf = restored
	}
	s.seen = parseRevision(v)
	there := map[types.UID]bool{}
	var mirrors []*corev1.Pod
	for _, obj := range list {
		pod := obj.(*corev1.Pod)
		there[pod.UID] = true
		s.m.take(pod, asOf)
		if isMirror(pod) {
			mirrors = append(mirrors, pod)
		}
	}
	s.m.mirrors.replace(mirrors, asOf)
	for _, uid := range s.m.setSynced() {
		if !there[uid] {
			s.m.lose(uid, nil)
		}
	}
	s.m.askRelist()
	return nil
}

// take passes on a pod's state in the API, of a list that knows all up to a version or of the watch: to its worker, or to
// what keeps the mirrors.
func (m *Manager) take(pod *corev1.Pod, list revision) {
	if !isMirror(pod) {
		m.ensure(pod, list, false)
		return
	}
	m.mirrors.show(pod, list)
	if w := m.worker(types.UID(pod.Annotations[corev1.MirrorPodAnnotationKey])); w != nil && w.static {
		w.recall(pod)
	}
}

// setSynced notes that the server has answered, and lists the pods with a worker that come from it.
func (m *Manager) setSynced() []types.UID {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.synced = true
	var all []types.UID
	for uid, w := range m.workers {
		if !w.static {
			all = append(all, uid)
		}
	}
	return all
}
