package pod

import (
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// mailbox is what others leave for the worker, and what they may see of it.
type mailbox struct {
	mu      sync.Mutex
	pod     *corev1.Pod
	gone    bool
	changed bool // the engine's containers
	refresh bool // objects that the pod uses
	health  map[string]Health
	end     *End // why the node ends the pod
	making  *making
	purge   bool // the dead containers of the pod, which has ended
	over    bool // the pod's status says that it has ended, whether the API has heard of it or not
	ended   bool // the worker has
	waiters []waiter
	pulling map[string]string // how far the images are that are pulled, by container

	containers []Container       // as last observed
	paths      map[string]string // of the volumes, by name
}

// eventPause holds back an answer to the engine's events while an operation of ours causes them.
const eventPause = 200 * time.Millisecond

// collect empties the mailbox into the view.
func (w *worker) collect() {
	m := &w.mail
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pod != w.view.Pod {
		m.refresh = m.refresh || m.pod.Generation != w.view.Pod.Generation || !maps.Equal(m.pod.Labels, w.view.Pod.Labels) || !maps.Equal(m.pod.Annotations, w.view.Pod.Annotations)
		w.view.Pod = m.pod
	}
	w.view.Gone = m.gone
	if !m.gone && m.pod.DeletionTimestamp == nil { // or no more, of a server that has gone back to a backup
		w.view.Clean, w.view.Deleted = false, false
	}
	if m.end != nil && (w.view.End == nil || !w.view.End.Rejected) {
		w.view.End = m.end
	}
	w.view.Purge = m.purge
	w.making, w.view.Making = m.making, m.making != nil
	w.view.Health, w.view.Pulling = maps.Clone(m.health), maps.Clone(m.pulling)
	if m.changed {
		m.changed = false
		w.lookSoon()
	}
	if m.refresh {
		m.refresh = !w.refresh()
	}
}

func (w *worker) lookSoon() {
	at := time.Now()
	if busy := len(w.ops); busy > 1 || busy == 1 && w.ops[statusKey] == nil {
		at = at.Add(eventPause)
	}
	if w.look.IsZero() || at.Before(w.look) {
		w.look = at
	}
}

// publish shows others what was observed.
func (w *worker) publish() {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	w.mail.containers, w.mail.paths = w.view.Containers, w.paths
}

// post leaves a message, from any goroutine.
func (w *worker) post(change func(*mailbox)) {
	w.mail.mu.Lock()
	change(&w.mail)
	w.mail.mu.Unlock()
	w.nudge()
}

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// keep tells the worker that the API has the pod, in this state; list is as for overrules.
func (w *worker) keep(pod *corev1.Pod, list revision) {
	w.post(func(m *mailbox) {
		m.gone = false
		if overrules(pod, m.pod, list) {
			m.pod = pod
		}
	})
}

// update gives the worker the state of its pod that a request of its own brought back.
func (w *worker) update(pod *corev1.Pod) {
	w.post(func(m *mailbox) {
		if !m.gone && !older(pod, m.pod) {
			m.pod = pod
		}
	})
}

// lose tells the worker that the API does not have the pod any more; last is its last state, nil when unknown.
func (w *worker) lose(last *corev1.Pod) {
	w.post(func(m *mailbox) {
		m.gone = true
		if last != nil {
			m.pod = last
		}
	})
}

// showPull shows in the pod's status how far a container's image is; nothing, when it is there or is not to be had.
func (w *worker) showPull(c *corev1.Container, pulling string) {
	w.mail.mu.Lock()
	known := w.mail.pulling[c.Name]
	w.mail.mu.Unlock()
	if known == pulling {
		return
	}
	w.post(func(m *mailbox) {
		if m.pulling == nil {
			m.pulling = map[string]string{}
		}
		m.pulling[c.Name] = pulling
	})
}

func (w *worker) containersChanged() { w.post(func(m *mailbox) { m.changed = true }) }
func (w *worker) objectsChanged()    { w.post(func(m *mailbox) { m.refresh = true }) }
