package pod

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/volume"
)

// relistEvery is how often all containers are compared with what the workers know, though no event told of a change.
const relistEvery = time.Minute

func (m *Manager) askRelist() {
	select {
	case m.relist <- struct{}{}:
	default:
	}
}

func (m *Manager) relists(ctx context.Context) error {
	tick := time.NewTicker(relistEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-m.relist:
		}
		if err := m.relistOnce(ctx); err != nil && ctx.Err() == nil {
			m.config.Logger.Warn("cannot compare the engine's containers with the pods", "error", err)
		}
	}
}

// relistOnce wakes the workers whose pods look different now, and gives a worker to what no pod owns.
func (m *Manager) relistOnce(ctx context.Context) error {
	containers, err := m.config.Runtime.Containers(ctx)
	if err != nil {
		return err
	}
	byPod := map[types.UID][]Container{}
	for _, c := range containers {
		byPod[c.PodUID] = append(byPod[c.PodUID], c)
	}
	m.mu.Lock()
	workers, synced := maps.Clone(m.workers), m.synced
	m.mu.Unlock()
	for uid, w := range workers {
		w.compare(byPod[uid])
		delete(byPod, uid)
	}
	if !synced {
		return nil // pods that we do not know of yet may own the rest
	}
	for _, list := range byPod {
		if err := m.adopt(ctx, list[0]); err != nil {
			return err
		}
	}
	return m.sweepDirs(ctx)
}

// compare makes the worker look when the engine has other containers than the worker last saw.
func (w *worker) compare(now []Container) {
	states := map[string]State{}
	for _, c := range now {
		states[c.ID] = c.State
	}
	w.mail.mu.Lock()
	same := len(states) == len(w.mail.containers)
	for _, c := range w.mail.containers {
		same = same && states[c.ID] == c.State
	}
	w.mail.mu.Unlock()
	if !same {
		w.containersChanged()
	}
}

// adopt gives containers that belong to no pod on the list a worker that takes them away. The server is asked once
// more: a list can be older than a pod.
func (m *Manager) adopt(ctx context.Context, c Container) error {
	there, err := m.exists(ctx, c.PodNamespace, c.PodName, c.PodUID)
	if err != nil || there {
		return err
	}
	m.config.Logger.Info("containers belong to no pod any more", "pod", c.PodNamespace+"/"+c.PodName, "uid", c.PodUID)
	m.ensure(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: c.PodNamespace, Name: c.PodName, UID: c.PodUID}}, 0, true)
	return nil
}

func (m *Manager) exists(ctx context.Context, namespace, name string, uid types.UID) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// A list and not a get: an agent may ask for its own node's pods only, and this one may be nobody's by now.
	list, err := m.config.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
		FieldSelector: "spec.nodeName=" + m.config.NodeName + ",metadata.name=" + name,
	})
	if err != nil {
		return false, fmt.Errorf("asking for pod %s/%s: %w", namespace, name, err)
	}
	return slices.ContainsFunc(list.Items, func(p corev1.Pod) bool { return p.UID == uid }), nil
}

// sweepDirs removes directories of pods that left nothing else: their agent was killed before it came to it.
func (m *Manager) sweepDirs(context.Context) error {
	entries, err := os.ReadDir(m.config.Dir)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("reading the pods' directory: %w", err)
	}
	var all []error
	for _, e := range entries {
		if m.worker(types.UID(e.Name())) == nil {
			all = append(all, volume.Pod{Dir: filepath.Join(m.config.Dir, e.Name())}.TearDown())
		}
	}
	return errors.Join(all...)
}
