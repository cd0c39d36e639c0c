package eviction

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/pod"
)

// Manager looks after the node.
type Manager struct {
	Config
	state  state // of Run alone
	limits gauge // of Run alone

	mu         sync.Mutex
	conditions []corev1.NodeConditionType
}

// New makes a manager; it looks at nothing before Run.
func New(c Config) *Manager {
	c.complete()
	return &Manager{Config: c, limits: gauge{meter: c.Meter, known: map[types.UID]reading{}}}
}

// cleanupPatience bounds the wait for an evicted pod to end, beside its own grace.
const cleanupPatience = 30 * time.Second

// Run looks at the machine until the context ends: now and then, and at once when an evicted pod has ended.
func (m *Manager) Run(ctx context.Context) error {
	for {
		evicted := m.synchronize(ctx)
		if len(evicted) > 0 {
			await(ctx, evicted, cleanupPatience)
			continue
		}
		timer := time.NewTimer(m.Every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

func await(ctx context.Context, all []<-chan struct{}, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, one := range all {
		select {
		case <-one:
		case <-ctx.Done():
			return
		}
	}
}

// Conditions are those of the node that hold now.
func (m *Manager) Conditions() []corev1.NodeConditionType {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conditions
}

func (m *Manager) setConditions(now []corev1.NodeConditionType) {
	m.mu.Lock()
	same := slices.Equal(m.conditions, now)
	m.conditions = now
	m.mu.Unlock()
	if !same {
		m.Logger.Info("the node's conditions have changed", "conditions", now)
		m.Changed()
	}
}

// synchronize looks at the machine once and does what there is to do. It gives the ends of the pods that it evicted.
//
//  1. pods that exceed limits of their own are evicted
//  2. what no pod needs is removed from a disk that is short
//  3. the pod that ranks first is evicted
func (m *Manager) synchronize(ctx context.Context) []<-chan struct{} {
	at := time.Now()
	seen, imagesApart, err := m.Machine.Observe(ctx)
	if err != nil && ctx.Err() == nil {
		m.Logger.Warn("cannot observe all of the machine", "error", err)
	}
	var d decision
	m.state, d = m.state.next(m.Thresholds, seen, m.Transition, at)
	m.setConditions(d.Conditions)
	active := m.Pods.Active()
	if evicted := m.enforceLimits(ctx, active, imagesApart); len(evicted) > 0 || len(d.Due) == 0 {
		return evicted
	}
	most := d.Due[0]
	short := most.Signal.Resource()
	m.Logger.Info("the node runs short", "resource", short, "signal", most.Signal, "available", seen[most.Signal].Available)
	m.Events.Eventf(m.Node, corev1.EventTypeWarning, "EvictionThresholdMet", "Attempting to reclaim %s", short)
	if m.reclaimed(ctx, most.Signal, imagesApart) {
		return nil
	}
	known := m.measure(ctx, active, short)
	for _, p := range rank(active, most.Signal, imagesApart, known) {
		text, annotations := message(p, most, seen, known)
		end := pod.End{Reason: Reason, Message: text, Disruption: text, Grace: m.grace(p, most)}
		if done := m.evict(p, end, annotations, string(most.Signal)); done != nil {
			statsAge.WithLabelValues(string(most.Signal)).Observe(time.Since(at).Seconds())
			return []<-chan struct{}{done}
		}
	}
	m.Logger.Warn("no pod can be evicted", "resource", short)
	return nil
}

// measure asks for what decides who goes first.
func (m *Manager) measure(ctx context.Context, pods []*corev1.Pod, short corev1.ResourceName) usages {
	var found map[types.UID]Usage
	switch short {
	case corev1.ResourceMemory, pids:
		found = m.Meter.Consumed(ctx, pods)
	default:
		found = m.Meter.Stored(ctx, pods)
	}
	return func(p *corev1.Pod) (Usage, bool) { u, ok := found[p.UID]; return u, ok }
}

// reclaimed removes what no pod needs, and says whether that was enough.
func (m *Manager) reclaimed(ctx context.Context, short Signal, imagesApart bool) bool {
	if short.Condition() != corev1.NodeDiskPressure {
		return false
	}
	onImages := short == ImageFsAvailable || short == ImageFsInodesFree
	if err := m.Reclaimer.Reclaim(ctx, onImages || !imagesApart, !onImages || !imagesApart); err != nil {
		m.Logger.Warn("not everything that nobody needs could be removed", "error", err)
	}
	seen, _, err := m.Machine.Observe(ctx)
	return err == nil && len(crossed(m.Thresholds, seen, true)) == 0
}

// The kubelet's grace where the node has no time.
const immediate = time.Second

func (m *Manager) grace(p *corev1.Pod, t Threshold) time.Duration {
	switch {
	case t.Hard():
		return immediate
	case m.MaxPodGrace < 0:
		return 0
	}
	grace := m.MaxPodGrace
	if own := p.Spec.TerminationGracePeriodSeconds; own != nil {
		grace = min(grace, time.Duration(*own)*time.Second)
	}
	return max(grace, immediate)
}

// evict ends a pod unless it is critical; then it gives nil.
func (m *Manager) evict(p *corev1.Pod, end pod.End, annotations map[string]string, why string) <-chan struct{} {
	if pod.Critical(p) {
		m.Logger.Warn("a critical pod is not evicted", "pod", p.Namespace+"/"+p.Name)
		return nil
	}
	m.Events.AnnotatedEventf(p, annotations, corev1.EventTypeWarning, Reason, "%s", end.Message)
	m.Logger.Info("evicting a pod", "pod", p.Namespace+"/"+p.Name, "why", end.Message)
	evictions.WithLabelValues(why).Inc()
	return m.Pods.End(p.UID, end)
}

// enforceLimits evicts all pods that take more of the disk than they may.
func (m *Manager) enforceLimits(ctx context.Context, active []*corev1.Pod, imagesApart bool) []<-chan struct{} {
	var evicted []<-chan struct{}
	stored := m.limits.read(ctx, active)
	for _, p := range active {
		u, ok := stored[p.UID]
		if !ok {
			continue
		}
		if e := exceeded(p, u, imagesApart); e != (excess{}) {
			if done := m.evict(p, pod.End{Reason: Reason, Message: e.Message, Grace: immediate}, nil, e.Signal); done != nil {
				evicted = append(evicted, done)
			}
		}
	}
	return evicted
}

// Admit refuses pods while the node runs short: all but critical ones, or, when it is only memory, those that say nothing
// of how much they need.
func (m *Manager) Admit(p *corev1.Pod) pod.Verdict {
	conditions := m.Conditions()
	if len(conditions) == 0 || pod.Critical(p) {
		return pod.Verdict{}
	}
	if slices.Equal(conditions, []corev1.NodeConditionType{corev1.NodeMemoryPressure}) &&
		(pod.QOS(p) != corev1.PodQOSBestEffort || toleratesMemoryPressure(p)) {
		return pod.Verdict{}
	}
	return pod.Verdict{Reason: Reason, Message: fmt.Sprintf("The node had condition: %v. ", conditions)}
}

func toleratesMemoryPressure(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Spec.Tolerations, func(t corev1.Toleration) bool {
		return pod.Tolerates(t, corev1.Taint{Key: corev1.TaintNodeMemoryPressure, Effect: corev1.TaintEffectNoSchedule})
	})
}
