package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"golang.org/x/sync/errgroup"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

const (
	binders   = 2                // batches on the way to etcd at once: one is written while the next is made
	batchSize = 4 * store.MaxOps // outcomes in a batch, at most: a few transactions, side by side
	backlog   = 4 * batchSize    // outcomes that wait to be written before the scheduler waits itself
)

// line is of outcomes that wait for somebody. Most of the time it is empty, so it has room for pointers alone.
type line chan *outcome

func newLine() line { return make(line, backlog) }

// put waits for room, or until ctx ends.
func (l line) put(ctx context.Context, o outcome) {
	select {
	case l <- &o:
	case <-ctx.Done():
	}
}

// writer writes what was decided, many pods at a time.
type writer struct {
	api      *resource.API
	pods     resource.Typed[*corev1.Pod]
	events   map[string]*event.Source // by the scheduler's name
	state    *state
	bindings line
	refusals line
	crowded  line // those whose victims are to go
	volumes  *volumeBinder
	metrics  *Metrics // nil: nothing is counted
}

func newWriter(api *resource.API, pods resource.Typed[*corev1.Pod], events map[string]*event.Source, s *state, m *Metrics) *writer {
	return &writer{metrics: m, api: api, pods: pods, events: events, state: s, bindings: newLine(), refusals: newLine(), crowded: newLine()}
}

// of is what speaks of a pod: the scheduler that the pod has asked for.
func (w *writer) of(pod *corev1.Pod) *event.Source { return w.events[pod.Spec.SchedulerName] }

// run writes until ctx ends.
func (w *writer) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range binders {
		g.Go(func() error { return batches(ctx, w.bindings, w.bind) })
	}
	g.Go(func() error { return batches(ctx, w.refusals, w.report) })
	g.Go(func() error { return batches(ctx, w.crowded, w.evictAll) })
	return g.Wait()
}

// batches calls fn with as many outcomes as there are each time, without waiting for more.
func batches(ctx context.Context, in line, fn func(context.Context, []outcome)) error {
	for {
		var batch []outcome
		select {
		case <-ctx.Done():
			return nil
		case o := <-in:
			batch = append(batch, *o)
		}
		for len(batch) < batchSize && len(in) > 0 {
			select {
			case o := <-in:
				batch = append(batch, *o)
			default: // another took it
			}
		}
		fn(ctx, batch)
	}
}

// placed hands a placement on: to be written or, where claims need volumes first, to whom gets them.
func (w *writer) placed(ctx context.Context, o outcome) {
	next := w.bindings
	if len(o.volumes) > 0 {
		next = w.volumes.waiting
	}
	next.put(ctx, o)
}

func (w *writer) refused(ctx context.Context, o outcome) {
	w.refusals.put(ctx, o)
	if len(o.victims) > 0 {
		w.crowded.put(ctx, o)
	}
}

// bind writes placements, and takes back those that cannot be written.
func (w *writer) bind(ctx context.Context, batch []outcome) {
	changes := make([]resource.Change, len(batch))
	for i, o := range batch {
		changes[i] = w.change(o.pod, resource.Binding, func(pod *corev1.Pod) { pod.Spec.NodeName = o.node })
	}
	for i, err := range w.api.UpdateMany(ctx, changes) {
		o := batch[i]
		if err == nil || ctx.Err() == nil {
			w.metrics.bound(o, err, time.Now())
		}
		if err == nil {
			w.of(o.pod).Normal(o.pod, "Scheduled", "Successfully assigned %s/%s to %s", o.pod.Namespace, o.pod.Name, o.node)
			continue
		}
		if ctx.Err() != nil {
			return
		}
		slog.Info("pod not bound", "pod", o.pod.Name, "namespace", o.pod.Namespace, "node", o.node, "err", err)
		current, _ := w.pods.Get(o.pod.Namespace, o.pod.Name)
		w.state.unbound(o.pod.UID, current)
	}
}

// report tells in events and in their status why pods wait; the status is written only when it changes.
func (w *writer) report(ctx context.Context, batch []outcome) {
	var changes []resource.Change
	for _, o := range batch {
		w.of(o.pod).Warning(o.pod, "FailedScheduling", "%s", o.refused.message)
		for _, pod := range o.displaced {
			changes = append(changes, w.change(pod, resource.Status, func(pod *corev1.Pod) { pod.Status.NominatedNodeName = "" }))
		}
		if saysSo(o.pod, o.refused.message) && o.pod.Status.NominatedNodeName == o.nominated {
			continue
		}
		changes = append(changes, w.change(o.pod, resource.Status, func(pod *corev1.Pod) { setUnschedulable(pod, o.refused.message, o.nominated) }))
	}
	for _, err := range w.api.UpdateMany(ctx, changes) {
		if err != nil && ctx.Err() == nil {
			slog.Debug("pod's condition not written", "err", err)
		}
	}
}

// change is a write to a pod that was decided about, and not to one that was made since by the same name.
func (w *writer) change(decided *corev1.Pod, subresource string, edit func(*corev1.Pod)) resource.Change {
	return resource.Change{
		Target: resource.Target{Kind: kind.Pod, Namespace: decided.Namespace, Name: decided.Name, Subresource: subresource, User: user},
		Mutate: func(o runtime.Object) error {
			pod := o.(*corev1.Pod)
			if pod.UID != decided.UID {
				return fmt.Errorf("pod %s is another one now", pod.Name)
			}
			edit(pod)
			return nil
		},
	}
}

func saysSo(pod *corev1.Pod, message string) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c.Status == corev1.ConditionFalse && c.Message == message
		}
	}
	return false
}

// setUnschedulable is the status of a pod that fits nowhere, or only once others have gone from the node that it is
// nominated for; a pod that was bound meanwhile keeps its own.
func setUnschedulable(pod *corev1.Pod, message, nominated string) {
	if pod.Spec.NodeName != "" {
		return
	}
	pod.Status.NominatedNodeName = nominated
	kind.SetPodCondition(pod, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message,
	})
}
