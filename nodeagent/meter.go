package nodeagent

import (
	"context"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/disk"
	"leme/nodeagent/eviction"
	"leme/nodeagent/pod"
)

// meter measures what pods take of the machine.
type meter struct {
	engine Engine
	dir    string // where pods' volumes are, a directory for each UID
}

// meterParallel is how many containers are measured at once.
const meterParallel = 4

// Consumed implements eviction.Meter.
func (m meter) Consumed(ctx context.Context, pods []*corev1.Pod) map[types.UID]eviction.Usage {
	return m.measure(ctx, pods, func(ctx context.Context, c pod.Container) (eviction.ContainerUsage, int64, bool) {
		if c.State != pod.Running {
			return eviction.ContainerUsage{}, 0, true
		}
		stats, err := m.engine.Stats(ctx, c.ID)
		return eviction.ContainerUsage{Name: c.Name, Memory: int64(stats.WorkingSet)}, int64(stats.Processes), err == nil
	})
}

// Stored implements eviction.Meter.
func (m meter) Stored(ctx context.Context, pods []*corev1.Pod) map[types.UID]eviction.Usage {
	found := m.measure(ctx, pods, func(ctx context.Context, c pod.Container) (eviction.ContainerUsage, int64, bool) {
		layer, log, err := m.engine.Stored(ctx, c.ID)
		return eviction.ContainerUsage{Name: c.Name, Layer: layer, Log: log}, 0, err == nil || ctx.Err() != nil
	})
	for _, p := range pods {
		u, ok := found[p.UID]
		if !ok {
			continue
		}
		u.Volumes = map[string]disk.Usage{}
		for i := range p.Spec.Volumes {
			v := &p.Spec.Volumes[i]
			if v.EmptyDir == nil || v.EmptyDir.Medium != corev1.StorageMediumDefault {
				continue
			}
			used, err := disk.Used(ctx, filepath.Join(m.dir, string(p.UID), "volumes", v.Name))
			if err == nil || ctx.Err() != nil {
				u.Volumes[v.Name] = used
			}
		}
		found[p.UID] = u
	}
	return found
}

// gauge measures one container, and says how many processes it has; ok is false when it could not.
type gauge func(context.Context, pod.Container) (u eviction.ContainerUsage, processes int64, ok bool)

// measure adds up the containers of each pod, dead ones too; pods with one that cannot be measured are left out.
func (m meter) measure(ctx context.Context, pods []*corev1.Pod, one gauge) map[types.UID]eviction.Usage {
	found := map[types.UID]eviction.Usage{}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(meterParallel)
	for _, p := range pods {
		group.Go(func() error {
			containers, err := m.engine.PodContainers(ctx, p.UID)
			if err != nil {
				return nil // nothing is known of it
			}
			var u eviction.Usage
			for _, c := range containers {
				if c.Sandbox {
					continue
				}
				usage, processes, ok := one(ctx, c)
				if !ok {
					return nil
				}
				u = with(u, usage, processes)
			}
			mu.Lock()
			defer mu.Unlock()
			found[p.UID] = u
			return nil
		})
	}
	_ = group.Wait() // nobody fails
	return found
}

// with adds a container, to what earlier attempts of it still take.
func with(u eviction.Usage, c eviction.ContainerUsage, processes int64) eviction.Usage {
	u.Processes += processes
	for i := range u.Containers {
		if have := &u.Containers[i]; have.Name == c.Name {
			have.Memory += c.Memory
			have.Layer, have.Log = have.Layer.Add(c.Layer), have.Log.Add(c.Log)
			return u
		}
	}
	if c.Name != "" {
		u.Containers = append(u.Containers, c)
	}
	return u
}
