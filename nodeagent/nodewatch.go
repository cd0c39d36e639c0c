package nodeagent

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/object"
)

// watch follows the Node in the API: others mark it, cordon it, give it its pod range, or delete it.
func (n *node) watch(ctx context.Context) {
	c := n.agent.client
	object.Follow(ctx, c, c.CoreV1().Nodes(), "metadata.name="+n.agent.config.NodeName, &corev1.Node{}, nodeStore{n})
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
	current, _ := obj.(*corev1.Node)
	s.n.take(current)
	s.n.set(func() { s.n.synced = true })
	return nil
}
