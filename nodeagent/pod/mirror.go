package pod

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/workqueue"
)

// mirrored keeps pods in the API that show the node's static pods: made when the API can be reached, made again when
// somebody deletes them, gone with what they show. Nothing that happens to a mirror happens to its pod.
type mirrored struct {
	client kubernetes.Interface
	node   func() *corev1.Node // as the API has it; nil while it has none
	log    *slog.Logger
	queue  workqueue.TypedRateLimitingInterface[types.NamespacedName]

	mu    sync.Mutex
	pods  map[types.NamespacedName]*mirroredPod
	known bool // which static pods there are, and which mirrors
}

type mirroredPod struct {
	static, shown *corev1.Pod
	sent          sentStatus
	problem       string // why it cannot be shown, as told last
	losses        int    // how often the API has lost a mirror: an answer from before tells nothing
}

// How long to wait before a request to the API is tried again: first, and at most.
const (
	mirrorRetry    = 200 * time.Millisecond
	mirrorRetryMax = 5 * time.Second
)

func newMirrored(client kubernetes.Interface, node func() *corev1.Node, log *slog.Logger) *mirrored {
	return &mirrored{
		client: client, node: node, log: log, pods: map[types.NamespacedName]*mirroredPod{},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](mirrorRetry, mirrorRetryMax)),
	}
}

// change notes something about the pod of a name, and has it looked at.
func (m *mirrored) change(name types.NamespacedName, do func(*mirroredPod)) {
	m.mu.Lock()
	p := m.pods[name]
	if p == nil {
		p = &mirroredPod{}
		m.pods[name] = p
	}
	do(p)
	if p.static == nil && p.shown == nil {
		delete(m.pods, name)
	}
	m.mu.Unlock()
	m.queue.Add(name)
}

// tell notes a static pod with its newest status.
func (m *mirrored) tell(pod *corev1.Pod) {
	m.change(nameOf(pod), func(p *mirroredPod) { p.static = pod })
}

// forget notes that a static pod is no more, unless another has taken its name.
func (m *mirrored) forget(pod *corev1.Pod) {
	m.change(nameOf(pod), func(p *mirroredPod) {
		if p.static != nil && p.static.UID == pod.UID {
			p.static = nil
		}
	})
}

// show notes the state of a mirror in the API; list is as for overrules.
func (m *mirrored) show(pod *corev1.Pod, list revision) {
	m.change(nameOf(pod), func(p *mirroredPod) {
		if p.shown == nil || p.shown.UID != pod.UID || overrules(pod, p.shown, list) {
			p.shown = pod
		}
	})
}

// lose notes that the API does not have a mirror any more.
func (m *mirrored) lose(pod *corev1.Pod) {
	m.change(nameOf(pod), func(p *mirroredPod) {
		p.losses++
		if p.shown != nil && p.shown.UID == pod.UID {
			p.shown = nil
		}
	})
}

// answered notes the state of a mirror that a request of ours brought back, unless one was lost since.
func (m *mirrored) answered(pod *corev1.Pod, losses int, sent sentStatus) {
	m.change(nameOf(pod), func(p *mirroredPod) {
		if p.losses != losses {
			return
		}
		p.sent = sent
		if p.shown == nil || !older(pod, p.shown) {
			p.shown = pod
		}
	})
}

// replace notes all the mirrors that the API has. From now on it is known which are missing, and which too many.
func (m *mirrored) replace(list []*corev1.Pod, asOf revision) {
	there := map[types.NamespacedName]bool{}
	for _, pod := range list {
		there[nameOf(pod)] = true
		m.show(pod, asOf)
	}
	m.mu.Lock()
	m.known = true
	var names []types.NamespacedName
	for name, p := range m.pods {
		if !there[name] {
			p.shown = nil
			p.losses++
		}
		if p.shown == nil && p.static == nil {
			delete(m.pods, name)
		}
		names = append(names, name)
	}
	m.mu.Unlock()
	for _, name := range names {
		m.queue.Add(name)
	}
}

// shownAs is the UID under which the API knows a static pod; empty when it does not.
func (m *mirrored) shownAs(pod *corev1.Pod) types.UID {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.pods[nameOf(pod)]; p != nil && p.shown != nil && p.static != nil && p.static.UID == pod.UID {
		return p.shown.UID
	}
	return ""
}

// run brings the API to what it is to show, until the context ends.
func (m *mirrored) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, m.queue.ShutDown)
	defer stop()
	for {
		name, ended := m.queue.Get()
		if ended {
			return nil
		}
		if err := m.sync(ctx, name); err != nil && ctx.Err() == nil {
			m.complain(ctx, name, err)
			m.queue.AddRateLimited(name)
		} else {
			m.queue.Forget(name)
		}
		m.queue.Done(name)
	}
}

// complain tells once why a static pod cannot be shown. A server that is away is no news.
func (m *mirrored) complain(ctx context.Context, name types.NamespacedName, err error) {
	m.mu.Lock()
	p := m.pods[name]
	news := p != nil && p.problem != err.Error()
	if news {
		p.problem = err.Error()
	}
	m.mu.Unlock()
	if apierrors.ReasonForError(err) != metav1.StatusReasonUnknown && news {
		m.log.WarnContext(ctx, "cannot show a static pod in the API", "pod", name.String(), "error", err)
	}
}

// sync takes one step for one pod. What it changes comes back as a change of the mirror, and brings the next.
func (m *mirrored) sync(ctx context.Context, name types.NamespacedName) error {
	m.mu.Lock()
	known, p := m.known, m.pods[name]
	var now mirroredPod
	if p != nil {
		now = *p
	}
	m.mu.Unlock()
	if !known {
		return nil // the first list brings it here again
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	switch planMirror(now.static, now.shown, now.sent) {
	case mirrorCreated:
		return m.create(ctx, now)
	case mirrorDeleted:
		return m.delete(ctx, now.shown)
	case mirrorReported:
		return m.report(ctx, now)
	case mirrorStays:
	}
	return nil
}

func (m *mirrored) create(ctx context.Context, p mirroredPod) error {
	node := m.node()
	if node == nil {
		return errors.New("the node is not registered yet")
	}
	made, err := m.client.CoreV1().Pods(p.static.Namespace).Create(ctx, mirrorOf(p.static, node), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating the mirror pod: %w", err)
	}
	m.answered(made, p.losses, sentStatus{})
	return nil
}

func (m *mirrored) delete(ctx context.Context, shown *corev1.Pod) error {
	now := int64(0)
	err := m.client.CoreV1().Pods(shown.Namespace).Delete(ctx, shown.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &shown.UID},
	})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err): // another has its name by now
		m.lose(shown)
	case err != nil:
		return fmt.Errorf("deleting the mirror pod: %w", err)
	}
	return nil // the watch tells
}

func (m *mirrored) report(ctx context.Context, p mirroredPod) error {
	status := p.static.Status
	updated, err := patchStatus(ctx, m.client, p.shown, status)
	if err != nil {
		return err
	}
	m.answered(updated, p.losses, sentStatus{status, updated.ResourceVersion})
	return nil
}

func nameOf(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
}
