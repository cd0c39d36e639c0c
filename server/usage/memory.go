package usage

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// memory is what is known of each node, and of the pods on it. A node's part is replaced as a whole.
type memory struct {
	mu    sync.RWMutex
	nodes map[string]*nodeMemory
}

// nodeMemory is never changed once it is there.
type nodeMemory struct {
	heard time.Time
	node  pair
	pods  map[types.NamespacedName][]containerMemory
}

// containerMemory is of one container, in the order of their names.
type containerMemory struct {
	name string
	pair
}

func (m *memory) of(node string) *nodeMemory {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.nodes[node]
}

// learn takes in what a node's agent said.
func (m *memory) learn(node string, r report, now time.Time, resolution time.Duration) {
	next := m.of(node).next(r, now, resolution)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nodes[node] = next
}

// next is what is known after a report; the receiver may be nil.
func (n *nodeMemory) next(r report, now time.Time, resolution time.Duration) *nodeMemory {
	if n == nil {
		n = &nodeMemory{}
	}
	next := &nodeMemory{heard: now, pods: make(map[types.NamespacedName][]containerMemory, len(r.pods))}
	if r.node.at > 0 {
		next.node = n.node.next(r.node, resolution)
	}
	for pod, points := range r.pods {
		containers := make([]containerMemory, 0, len(points))
		for _, name := range slices.Sorted(maps.Keys(points)) {
			containers = append(containers, containerMemory{name, pairOf(n.pods[pod], name).next(points[name], resolution)})
		}
		next.pods[pod] = containers
	}
	return next
}

func pairOf(containers []containerMemory, name string) pair {
	for _, c := range containers {
		if c.name == name {
			return c.pair
		}
	}
	return pair{}
}

// forget drops the nodes that are no more, and those that have not been heard since.
func (m *memory) forget(there map[string]bool, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.nodes, func(name string, n *nodeMemory) bool { return !there[name] || n.heard.Before(since) })
}

// size is how many nodes and containers there is something to tell of.
func (m *memory) size() (nodes, containers int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, n := range m.nodes {
		if n.node.known() {
			nodes++
		}
		for _, pod := range n.pods {
			for _, c := range pod {
				if c.known() {
					containers++
				}
			}
		}
	}
	return nodes, containers
}
