package node

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// Graph is which pods run on which node, what they name, and which claims have volumes. Make it with NewGraph, keep it
// with Run. Its methods may be called concurrently.
type Graph struct {
	mu     sync.RWMutex
	pods   map[place]*pod
	named  map[string]map[object]int // by node: how many of its pods name an object
	claims map[string]place          // by persistent volume: the claim that has it
}

type place struct{ namespace, name string }

// object is something that a pod names: "secrets", "configmaps", "serviceaccounts", "persistentvolumeclaims", or the
// pod itself.
type object struct {
	resource string
	place
}

type pod struct {
	node    string
	objects []object
}

// NewGraph returns the graph of a cluster without pods.
func NewGraph() *Graph {
	return &Graph{pods: map[place]*pod{}, named: map[string]map[object]int{}, claims: map[string]place{}}
}

// Run keeps the graph up to date until ctx ends; synced is called once, when it holds all there is. It returns nil
// when ctx ends.
func (g *Graph) Run(ctx context.Context, api *resource.API, synced func()) error {
	var behind atomic.Int32
	behind.Store(2)
	caughtUp := func() {
		if behind.Add(-1) == 0 {
			synced()
		}
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return api.Follow(ctx, kind.Pod, caughtUp, g.podChanged) })
	both.Go(func() error { return api.Follow(ctx, kind.PersistentVolume, caughtUp, g.volumeChanged) })
	return both.Wait()
}

func (g *Graph) podChanged(e store.Event) {
	at := place{e.Item.Key.Namespace, e.Item.Key.Name}
	p := bound(e.Item)
	switch {
	case e.Type == watch.Deleted || p == nil:
		g.set(at, nil)
	case e.Type == watch.Added || namesMore(p, bound(e.Prev)):
		g.set(at, &pod{p.Spec.NodeName, append(objectsOf(p), object{"pods", at})})
	}
}

func (g *Graph) volumeChanged(e store.Event) {
	claim := (*corev1.ObjectReference)(nil)
	if obj, err := e.Item.Object(); err == nil && e.Type != watch.Deleted {
		if v, ok := obj.(*corev1.PersistentVolume); ok {
			claim = v.Spec.ClaimRef
		}
	}
	g.setClaim(e.Item.Key.Name, claim)
}

// setClaim says which claim has a volume; nil: none.
func (g *Graph) setClaim(volume string, claim *corev1.ObjectReference) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if claim == nil {
		delete(g.claims, volume)
		return
	}
	g.claims[volume] = place{claim.Namespace, claim.Name}
}

// bound is an item's pod; nil for one that has no node, or cannot be read.
func bound(it *store.Item) *corev1.Pod {
	if it == nil {
		return nil
	}
	obj, err := it.Object()
	if err != nil {
		return nil
	}
	if p, ok := obj.(*corev1.Pod); ok && p.Spec.NodeName != "" {
		return p
	}
	return nil
}

// namesMore tells whether a pod may name other things than before. Once it has its node, that comes with ephemeral
// containers alone: most changes are of the status, and looked at no further.
func namesMore(p, old *corev1.Pod) bool {
	return old == nil || old.UID != p.UID || len(old.Spec.EphemeralContainers) != len(p.Spec.EphemeralContainers)
}

// set puts a pod in the place of its former state; nil takes it out.
func (g *Graph) set(at place, p *pod) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := g.pods[at]; old != nil {
		g.count(old, -1)
		delete(g.pods, at)
	}
	if p != nil {
		g.pods[at] = p
		g.count(p, 1)
	}
}

func (g *Graph) count(p *pod, by int) {
	objects := g.named[p.node]
	if objects == nil {
		objects = map[object]int{}
		g.named[p.node] = objects
	}
	for _, o := range p.objects {
		if objects[o] += by; objects[o] == 0 {
			delete(objects, o)
		}
	}
	if len(objects) == 0 {
		delete(g.named, p.node)
	}
}

// has says whether a pod of the node names an object, or is it; a volume is named by way of its claim.
func (g *Graph) has(node string, o object) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if o.resource == "persistentvolumes" {
		claim, taken := g.claims[o.name]
		return taken && g.named[node][object{"persistentvolumeclaims", claim}] > 0
	}
	return g.named[node][o] > 0
}

// objectsOf lists what a pod names, each once. A mirror pod stands for one that the agent knows from a file, and may
// not open anything to it.
func objectsOf(p *corev1.Pod) []object {
	if _, mirror := p.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		return nil
	}
	var all []object
	kind.PodReferences(p, func(resource, name string) {
		if o := (object{resource, place{p.Namespace, name}}); name != "" && !slices.Contains(all, o) {
			all = append(all, o)
		}
	})
	return all
}
