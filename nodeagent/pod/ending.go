package pod

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// End is why a pod that nobody has deleted is ended by its node. Its status says so once nothing of it runs any more.
type End struct {
	Reason, Message string        // of the status
	Disruption      string        // message of the condition DisruptionTarget; empty: the pod gets none
	Grace           time.Duration // how long its containers may take to stop, if that is less than the pod's own; 0: the pod's own
	Rejected        bool          // it was never let in: nothing of it has run here
}

// End ends a pod of this node for good, and gives what is closed once nothing of it runs and its volumes are free.
// The first reason that is given stays; the grace only shrinks.
func (m *Manager) End(uid types.UID, e End) <-chan struct{} {
	w := m.worker(uid)
	if w == nil {
		return closed
	}
	over := w.await((*View).over)
	w.post(func(b *mailbox) {
		switch {
		case b.end == nil:
			b.end = &e
		case e.Grace > 0 && (b.end.Grace == 0 || e.Grace < b.end.Grace):
			sooner := *b.end
			sooner.Grace = e.Grace
			b.end = &sooner
		}
	})
	return over
}

// Purge removes the dead containers of pods that have ended, whose logs nobody can read after that. It gives what is
// closed for each pod once they are gone.
func (m *Manager) Purge() []<-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []<-chan struct{}
	for _, w := range m.workers {
		if w.done() && len(w.present()) > 0 {
			all = append(all, w.await(func(v *View) bool { return len(v.Containers) == 0 }))
			w.post(func(b *mailbox) { b.purge = true })
		}
	}
	return all
}

var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// over says that nothing of the pod runs or is about to, and that what it kept on disk is free.
func (v *View) over() bool {
	if v.Clean {
		return true
	}
	return v.ends() && !v.alive() && v.Freed
}

// ends says that the pod is on its way out, whoever wants that.
func (v *View) ends() bool {
	return v.Gone || v.End != nil || v.Pod.DeletionTimestamp != nil || isTerminal(v.Pod.Status.Phase)
}

// alive says that a container runs, or that one is being started.
func (v *View) alive() bool {
	for _, c := range v.Containers {
		if !c.Sandbox && c.Runs() {
			return true
		}
	}
	for _, o := range v.Busy {
		if o.Verb == Start || o.Verb == RunSandbox {
			return true
		}
	}
	return false
}

// tellEnd gives the status the reason why the node ended the pod, once it has ended.
func (v *View) tellEnd(s *corev1.PodStatus, now time.Time) {
	if v.End == nil || isTerminal(v.Pod.Status.Phase) || v.alive() {
		return
	}
	s.Phase, s.Reason, s.Message = corev1.PodFailed, v.End.Reason, v.End.Message
	if v.End.Disruption != "" {
		setCondition(s, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonTerminationByKubelet,
			Message: v.End.Disruption, ObservedGeneration: v.Pod.Generation,
		}, now)
	}
}
