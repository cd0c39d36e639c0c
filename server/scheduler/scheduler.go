package scheduler

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/watch"

	"golang.org/x/sync/errgroup"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

const (
	user      = "system:kube-scheduler"
	component = corev1.DefaultSchedulerName
)

// Run places the pods that ask for one of the schedulers of a configuration, which may be nil, and counts; m may be nil. It
// returns nil when ctx ends.
func Run(ctx context.Context, api *resource.API, c *Config, m *Metrics) error {
	if c == nil {
		c = defaultConfig()
	}
	if err := runParts(ctx, api, c, m); err != nil && ctx.Err() == nil {
		return fmt.Errorf("scheduling: %w", err)
	}
	return nil
}

// storageKinds are those whose changes may help pods that wait for volumes.
var storageKinds = []*kind.Kind{
	kind.PersistentVolumeClaim, kind.PersistentVolume, kind.StorageClass,
	kind.CSINode, kind.CSIDriver, kind.CSIStorageCapacity, kind.VolumeAttachment,
}

// runParts follows the cluster, decides and writes, side by side.
func runParts(ctx context.Context, api *resource.API, c *Config, m *Metrics) error {
	pods := resource.For[*corev1.Pod](api, kind.Pod, user)
	namespaces := resource.For[*corev1.Namespace](api, kind.Namespace, user)
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("naming this scheduler: %w", err)
	}
	recorder := event.NewRecorder(resource.For[*corev1.Event](api, kind.Event, user), component+"-"+host)
	s := newState(c.profiles, func(namespace string) map[string]string {
		if ns, ok := namespaces.Get("", namespace); ok {
			return ns.Labels
		}
		return nil
	})
	budgets := resource.For[*policyv1.PodDisruptionBudget](api, kind.PodDisruptionBudget, user)
	s.budgets = func() []*policyv1.PodDisruptionBudget { return budgets.List("", nil) }
	s.queue.firstBackoff, s.queue.lastBackoff = c.firstBackoff, c.lastBackoff
	volumes, workloads := newVolumeStore(api), newWorkloadStore(api)
	s.cluster.storage, s.cluster.workloads = volumes, workloads
	events := make(map[string]*event.Source, len(c.profiles))
	for _, p := range c.profiles {
		events[p.name] = recorder.From(p.name)
	}
	w := newWriter(api, pods, events, s, m)
	defer m.lead(s)()
	b := &volumeBinder{volumes, w, newLine()}
	w.volumes = b

	g, ctx := errgroup.WithContext(ctx)
	synced := make(chan struct{}, 2)
	for _, k := range storageKinds {
		g.Go(func() error {
			return api.Follow(ctx, k, nil, func(store.Event) { s.storageChanged(); volumes.changed() })
		})
	}
	g.Go(func() error {
		return api.Follow(ctx, kind.Service, nil, func(store.Event) { workloads.generation.Add(1) })
	})
	g.Go(func() error {
		return api.Follow(ctx, kind.Namespace, nil, func(e store.Event) {
			if e.Type != watch.Added {
				s.namespacesChanged()
			}
		})
	})
	g.Go(func() error { return b.run(ctx) })
	g.Go(func() error { return recorder.Run(ctx) })
	g.Go(func() error { return api.Follow(ctx, kind.Node, func() { synced <- struct{}{} }, s.nodeEvent) })
	g.Go(func() error {
		return api.Follow(ctx, kind.Pod, func() { synced <- struct{}{} }, func(e store.Event) {
			s.podEvent(e)
			if e.Type == watch.Deleted {
				volumes.changed() // nobody need wait for its volumes any more
			}
		})
	})
	g.Go(func() error { return w.run(ctx) })
	g.Go(func() error {
		for range cap(synced) {
			select {
			case <-synced:
			case <-ctx.Done():
				return nil
			}
		}
		return s.run(ctx, w)
	})
	return g.Wait()
}

// run tries pod after pod, as long as there are any, and hands on what comes of it.
func (s *state) run(ctx context.Context, w *writer) error {
	for ctx.Err() == nil {
		o, ok := s.try(time.Now())
		if ok {
			w.metrics.decided(o, time.Now())
		}
		switch {
		case !ok:
			s.wait(ctx)
		case o.refused != nil:
			w.refused(ctx, o)
		default:
			w.placed(ctx, o)
		}
	}
	return nil
}

// wait returns when there may be a pod to try.
func (s *state) wait(ctx context.Context) {
	timer := time.NewTimer(s.next(time.Now()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-timer.C:
	}
}

func (s *state) nodeEvent(e store.Event) {
	o, err := e.Item.Object()
	if err != nil {
		return // what cannot be read is as good as not there
	}
	if node := o.(*corev1.Node); e.Type == watch.Deleted {
		s.nodeDeleted(node)
	} else {
		s.nodeChanged(node)
	}
}

func (s *state) podEvent(e store.Event) {
	o, err := e.Item.Object()
	if err != nil {
		return
	}
	if pod := o.(*corev1.Pod); e.Type == watch.Deleted {
		s.podDeleted(pod)
	} else {
		s.podChanged(pod)
	}
}
