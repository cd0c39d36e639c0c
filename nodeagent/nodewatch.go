package nodeagent

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// watch follows the Node in the API: others mark it, cordon it, give it its pod range, or delete it.
func (n *node) watch(ctx context.Context) {
	api := n.agent.client.CoreV1().Nodes()
	selector := "metadata.name=" + n.agent.config.NodeName
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = selector
			return api.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return api.Watch(ctx, o)
		},
	}
	r := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, n.agent.client), &corev1.Node{}, nodeStore{n},
		cache.ReflectorOptions{
			Name:    "this node",
			Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 5, Cap: 3 * time.Second},
		})
	r.RunWithContext(ctx)
}

// nodeStore is the node as what a reflector fills (cache.ReflectorStore).
type nodeStore struct{ n *node }

func (s nodeStore) Add(obj any) error    { return s.take(obj) }
func (s nodeStore) Update(obj any) error { return s.take(obj) }
func (s nodeStore) Delete(any) error     { return s.take(nil) }
func (s nodeStore) Resync() error        { return nil }

func (s nodeStore) Replace(list []any, _ string) error {
	if len(list) == 0 {
		return s.take(nil)
	}
	return s.take(list[0])
}

func (s nodeStore) take(obj any) error {
	object, _ := obj.(*corev1.Node)
	s.n.take(object)
	s.n.set(func() { s.n.synced = true })
	return nil
}
