package simulated

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/workqueue"
)

// Fleet is all agents. Make it with New, then call Run once.
type Fleet struct {
	config Config
	client kubernetes.Interface
	queue  workqueue.TypedRateLimitingInterface[key]
	agents []*agent

	mu       sync.Mutex
	counts   Counts
	changed  chan struct{} // closed with the next change of the counts
	watching sync.WaitGroup
}

// key is what is to be looked at: a node, or a pod of it.
type key struct {
	node int
	pod  types.UID // empty: the node itself
}

// Counts is how far the fleet is.
type Counts struct {
	Nodes int // that have registered
	Pods  int // that are bound to them
	Ready int // of the pods, as the API shows them
}

// New prepares a fleet; nothing runs yet.
func New(c Config) (*Fleet, error) {
	if err := c.prepare(); err != nil {
		return nil, err
	}
	client, err := newClient(c.REST)
	if err != nil {
		return nil, fmt.Errorf("simulated: %w", err)
	}
	f := &Fleet{
		config: c, client: client, agents: make([]*agent, c.Nodes), changed: make(chan struct{}),
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[key](100*time.Millisecond, 5*time.Second)),
	}
	for i := range f.agents {
		f.agents[i] = &agent{fleet: f, index: i, name: c.name(i), pods: map[types.UID]*pod{}}
	}
	return f, nil
}

// Run is the agents' work until the context ends.
func (f *Fleet) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range f.config.Workers {
		workers.Go(func() {
			for f.next(ctx) {
			}
		})
	}
	for _, a := range f.agents {
		f.queue.Add(a.key(""))
	}
	<-ctx.Done()
	f.queue.ShutDown()
	workers.Wait()
	f.watching.Wait()
}

// next looks at one key; false once there are no more.
func (f *Fleet) next(ctx context.Context) bool {
	k, stopped := f.queue.Get()
	if stopped {
		return false
	}
	defer f.queue.Done(k)
	a := f.agents[k.node]
	again, err := a.look(ctx, k)
	if err != nil {
		if ctx.Err() == nil {
			slog.Debug("a simulated agent tries again", "node", a.name, "err", err)
			f.queue.AddRateLimited(k)
		}
		return true
	}
	f.queue.Forget(k)
	if again > 0 {
		f.queue.AddAfter(k, again)
	}
	return true
}

func (a *agent) look(ctx context.Context, k key) (time.Duration, error) {
	ctx = asNode(ctx, a.name)
	if k.pod != "" {
		return a.work(ctx, k.pod)
	}
	if err := a.tend(ctx); err != nil {
		return 0, err
	}
	if a.begun {
		return a.fleet.config.Lease, nil
	}
	a.begun = true
	a.fleet.watching.Go(func() { a.follow(ctx) })
	a.fleet.add(Counts{Nodes: 1})
	// From now on each renews its lease at its own time.
	return a.fleet.config.Lease * time.Duration(a.index+1) / time.Duration(len(a.fleet.agents)), nil
}

// count takes a pod's new state in, in the place of an older one; nil: none.
func (f *Fleet) count(before, now *corev1.Pod) {
	f.add(Counts{Pods: present(now) - present(before), Ready: ready(now) - ready(before)})
}

func present(p *corev1.Pod) int {
	if p == nil {
		return 0
	}
	return 1
}

func ready(p *corev1.Pod) int {
	if p == nil {
		return 0
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return 1
		}
	}
	return 0
}

func (f *Fleet) add(c Counts) {
	if c == (Counts{}) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Nodes += c.Nodes
	f.counts.Pods += c.Pods
	f.counts.Ready += c.Ready
	close(f.changed)
	f.changed = make(chan struct{})
}

// Registered returns once all nodes have registered.
func (f *Fleet) Registered(ctx context.Context) error {
	return f.Await(ctx, func(c Counts) bool { return c.Nodes == len(f.agents) })
}

// Await returns once the counts are as they should be, or with the context's error.
func (f *Fleet) Await(ctx context.Context, enough func(Counts) bool) error {
	for {
		f.mu.Lock()
		counts, changed := f.counts, f.changed
		f.mu.Unlock()
		if enough(counts) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("simulated: %+v: %w", counts, context.Cause(ctx))
		case <-changed:
		}
	}
}
