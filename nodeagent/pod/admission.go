package pod

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Verdict is what a gate says of a pod that wants in. The zero value lets it in.
type Verdict struct {
	Reason, Message string              // why it may not; Reason is empty when it may
	Victims         []*corev1.Pod       // whose place it takes
	Short           corev1.ResourceName // what there is too little of for both
}

// Gate decides whether a pod that is bound to this node may run beside the others that do. It is called for one pod at
// a time and must not call the manager back.
type Gate func(pod *corev1.Pod, others []*corev1.Pod) Verdict

// The end of a pod whose place a critical one takes, in the kubelet's words.
const (
	preempting        = "Preempting"
	preemptionMessage = "Preempted in order to admit critical pod"
	preemptionWords   = "Pod was preempted by Kubelet to accommodate a critical pod."
)

// letIn says that an agent let the pod in before: a restart of the agent asks nobody again.
func letIn(pod *corev1.Pod) bool { return pod.Status.StartTime != nil }

// admit asks the gate about a pod that has not been let in. The verdict holds at once for all who ask later.
func (m *Manager) admit(pod *corev1.Pod) Verdict {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.config.Gate == nil {
		m.admitted[pod.UID] = true
		return Verdict{}
	}
	v := m.config.Gate(pod, m.active(pod.UID))
	m.admitted[pod.UID] = v.Reason == ""
	return v
}

// Active lists the pods that were let in and have not run their course, oldest first. Read-only.
func (m *Manager) Active() []*corev1.Pod {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.active("")
}

// active is Active without one pod; m.mu is held.
func (m *Manager) active(but types.UID) []*corev1.Pod {
	var all []*corev1.Pod
	for uid, w := range m.workers {
		w.mail.mu.Lock()
		pod, gone := w.mail.pod, w.mail.gone
		w.mail.mu.Unlock()
		if uid != but && m.admitted[uid] && !gone && !w.done() {
			all = append(all, pod)
		}
	}
	slices.SortFunc(all, func(a, b *corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return all
}

// enter has the gate decide once about the worker's pod. A pod that takes others' place is held until they are gone.
func (w *worker) enter(ctx context.Context) {
	v := &w.view
	if w.asked || v.ends() {
		return
	}
	w.asked = true
	verdict := Inadmissible(v.Pod, v.Host, w.deps.Sysctls)
	if verdict.Reason == "" {
		verdict = w.gate(v.Pod)
	}
	if verdict.Reason != "" {
		v.End = &End{Reason: verdict.Reason, Message: "Pod was rejected: " + verdict.Message, Rejected: true}
		w.narrator.pod(v.Pod, corev1.EventTypeWarning, verdict.Reason, verdict.Message)
		admissionRejections.WithLabelValues(rejectionLabel(verdict.Reason)).Inc()
		return
	}
	w.replace(ctx, verdict)
}

// replace ends the victims and holds the pod until nothing of them runs.
func (w *worker) replace(ctx context.Context, v Verdict) {
	var ends []<-chan struct{}
	for _, victim := range v.Victims {
		preemptions.WithLabelValues(string(v.Short)).Inc()
		w.narrator.pod(victim, corev1.EventTypeWarning, preempting, preemptionMessage)
		ends = append(ends, w.end(victim.UID, End{Reason: preempting, Message: preemptionMessage, Disruption: preemptionWords}))
	}
	if len(ends) == 0 {
		return
	}
	w.launch(ctx, Action{Verb: makeRoom}, func(ctx context.Context) (func(), error) {
		for _, end := range ends {
			select {
			case <-end:
			case <-ctx.Done():
				return nil, fmt.Errorf("waiting for room: %w", ctx.Err())
			}
		}
		return nil, nil
	})
}

// makeRoom is under way while those end whose place the pod takes.
const makeRoom Verb = "make room"
