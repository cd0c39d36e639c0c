package pod

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Static gives the pods that run here whether the API knows of them or not, each with a UID of its own.
type Static interface {
	// Run gives set all of them, at once and after each change, until the context ends.
	Run(ctx context.Context, set func([]*corev1.Pod)) error
}

// readStatic has the pods from files run.
func (m *Manager) readStatic(ctx context.Context) error {
	if m.config.Static == nil {
		m.setStatic(nil)
		return nil
	}
	return m.config.Static.Run(ctx, m.setStatic)
}

// setStatic says which static pods there are now. Those that are not among them end with the grace that they ask for;
// one whose name is still another's starts when that one is gone.
func (m *Manager) setStatic(pods []*corev1.Pod) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.static = map[types.UID]*corev1.Pod{}
	for _, p := range pods {
		m.static[p.UID] = p
	}
	for uid, w := range m.workers {
		if w.static && m.static[uid] == nil {
			w.retireStatic()
		}
	}
	if m.ctx != nil {
		m.startStatic(m.ctx)
	}
	m.staticOnce.Do(func() { close(m.staticKnown) })
}

// startStatic gives workers to the static pods that have none; m.mu is held.
func (m *Manager) startStatic(ctx context.Context) {
	taken := map[types.NamespacedName]bool{}
	for _, w := range m.workers {
		if w.static {
			taken[nameOf(w.latest())] = true
		}
	}
	for uid, p := range m.static {
		if m.workers[uid] == nil && !taken[nameOf(p)] {
			m.mirrors.tell(p)
			m.start(ctx, p, false)
		}
	}
}

// retireStatic has a static pod end as one that somebody deletes.
func (w *worker) retireStatic() {
	w.post(func(m *mailbox) {
		if m.pod.DeletionTimestamp != nil {
			return
		}
		p, now := *m.pod, metav1.Now()
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &now, p.Spec.TerminationGracePeriodSeconds
		m.pod = &p
	})
}

// keepStatus is a report of a static pod: the agent itself remembers it, and the API is shown it when it can be reached.
func (w *worker) keepStatus(status corev1.PodStatus) operation {
	return func(context.Context) (func(), error) {
		return func() {
			w.sent = sentStatus{status, ""}
			w.post(func(m *mailbox) {
				p := *m.pod
				p.Status = status
				m.pod = &p
				w.mirrors.tell(&p)
			})
		}, nil
	}
}

// forgetStatic is the last of a static pod.
func (w *worker) forgetStatic() operation {
	pod := w.view.Pod
	return func(context.Context) (func(), error) {
		w.mirrors.forget(pod)
		return func() {
			w.view.Deleted = true
			w.lose(nil)
		}, nil
	}
}

// recall lets a static pod go on with what the API was told of it by an agent that is no more.
func (w *worker) recall(shown *corev1.Pod) {
	w.post(func(m *mailbox) {
		now, then := m.pod.Status.StartTime, shown.Status.StartTime
		if !shows(shown, m.pod) || then == nil || now != nil && !then.Before(now) {
			return
		}
		p := *m.pod
		p.Status = *shown.Status.DeepCopy()
		m.pod = &p
		w.mirrors.tell(&p)
	})
}

// isShownAs says whether the API knows a static pod by this UID.
func (w *worker) isShownAs(uid string) bool {
	return w.static && string(w.mirrors.shownAs(w.latest())) == uid
}
