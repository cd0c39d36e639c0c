package shell

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// count keeps the numbers of nodes and pods until ctx ends.
func (w *watcher) count(ctx context.Context, client kubernetes.Interface) {
	nodes := newTally(func(o any) bool { return nodeReady(o.(*corev1.Node)) })
	pods := newTally(func(o any) bool { return podFine(o.(*corev1.Pod)) })
	update := func() {
		if ctx.Err() != nil {
			return
		}
		all, ready, known := nodes.numbers()
		every, fine, counted := pods.numbers()
		w.set(func(h *health) {
			h.Counted, h.Nodes, h.NodesReady = known && counted, all, ready
			h.PodsWaiting = every - fine
		})
	}
	nodes.changed, pods.changed = update, update
	var both sync.WaitGroup
	both.Go(func() { mirror(ctx, client, "nodes", &corev1.Node{}, nodes) })
	both.Go(func() { mirror(ctx, client, "pods", &corev1.Pod{}, pods) })
	both.Wait()
}

// mirror keeps t up to date with one resource of all namespaces until ctx ends.
func mirror(ctx context.Context, client kubernetes.Interface, resource string, kind runtime.Object, t *tally) {
	from := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), resource, "", fields.Everything())
	cache.NewReflector(from, kind, t, 0).RunWithContext(ctx)
}

// tally counts objects and keeps nothing of them but whether each is good. It is what a reflector fills.
type tally struct {
	judge   func(any) bool
	changed func() // called without the lock

	mu    sync.Mutex
	good  map[string]bool
	fine  int
	whole bool // the first list is in
}

func newTally(judge func(any) bool) *tally {
	return &tally{judge: judge, good: map[string]bool{}}
}

func (t *tally) numbers() (all, good int, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.good), t.fine, t.whole
}

// Add, Update, Delete, Replace and Resync implement cache.ReflectorStore.

func (t *tally) Add(o any) error { return t.change(func() error { return t.put(o) }) }

func (t *tally) Update(o any) error { return t.Add(o) }

func (t *tally) Delete(o any) error { return t.change(func() error { return t.drop(o) }) }

func (t *tally) Replace(all []any, _ string) error {
	return t.change(func() error {
		t.good, t.fine, t.whole = make(map[string]bool, len(all)), 0, true
		for _, o := range all {
			if err := t.put(o); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tally) Resync() error { return nil }

func (t *tally) change(do func() error) error {
	t.mu.Lock()
	err := do()
	t.mu.Unlock()
	t.changed()
	return err
}

func (t *tally) put(o any) error {
	if err := t.drop(o); err != nil {
		return err
	}
	name, _ := cache.MetaNamespaceKeyFunc(o)
	t.good[name] = t.judge(o)
	if t.good[name] {
		t.fine++
	}
	return nil
}

func (t *tally) drop(o any) error {
	name, err := cache.DeletionHandlingMetaNamespaceKeyFunc(o)
	if err != nil {
		return err
	}
	if t.good[name] {
		t.fine--
	}
	delete(t.good, name)
	return nil
}
