// Package object follows API objects over the wire: Follow keeps a store equal to those that a field selector selects,
// and a Cache keeps the ConfigMaps and Secrets that this node's pods refer to, and no others.
//
// In the Cache each is watched alone (a field selector on its name) from the first time a pod needs it until the last such pod is
// gone, so that a changed object reaches the pods' volumes at once and an unused one costs nothing. While the server
// is away the last known state answers.
package object

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// firstAnswer bounds how long a read waits for the server to answer for an object that is not known yet.
const firstAnswer = 20 * time.Second

// Cache is the objects in use. Make one with New, and Run it.
type Cache struct {
	client  kubernetes.Interface
	notify  func(types.UID) // a pod's object changed
	tokens  *tokens
	volumes *volumes
	bundles *bundles

	mu      sync.Mutex
	ctx     context.Context // of Run; nil before and after
	entries map[key]*entry
	running sync.WaitGroup
}

type key struct {
	resource        string
	namespace, name string
}

// New makes a cache that calls notify, with the pod's UID, after an object that a pod uses has changed.
func New(client kubernetes.Interface, notify func(types.UID)) *Cache {
	return &Cache{client: client, notify: notify, tokens: newTokens(client, notify), volumes: newVolumes(client), bundles: newBundles(client, notify), entries: map[key]*entry{}}
}

// Run lets watches run, and looks after tokens, until the context ends, and waits for their end.
func (c *Cache) Run(ctx context.Context) error {
	c.mu.Lock()
	c.ctx = ctx
	for _, e := range c.entries {
		c.start(e)
	}
	c.bundles.mu.Lock()
	c.startBundles()
	c.bundles.mu.Unlock()
	c.mu.Unlock()
	c.tokens.watchClock(ctx)
	c.mu.Lock()
	c.ctx = nil
	c.mu.Unlock()
	c.running.Wait()
	return nil
}

// For gives a pod's view of the cache: what it reads is watched until Release.
func (c *Cache) For(pod types.UID) View { return View{c, pod} }

// Release forgets what only this pod used.
func (c *Cache) Release(pod types.UID) {
	c.tokens.release(pod)
	c.volumes.release(pod)
	c.bundles.release(pod)
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.entries {
		delete(e.users, pod)
		if len(e.users) == 0 {
			e.stop()
			delete(c.entries, k)
		}
	}
}

// View is the cache as one pod uses it.
type View struct {
	cache *Cache
	pod   types.UID
}

// ConfigMap gives a ConfigMap, read-only; a NotFound error when the server has none.
func (v View) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	return get[corev1.ConfigMap](ctx, v, key{"configmaps", namespace, name})
}

// Secret gives a Secret, read-only; a NotFound error when the server has none.
func (v View) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	return get[corev1.Secret](ctx, v, key{"secrets", namespace, name})
}

func get[T any](ctx context.Context, v View, k key) (*T, error) {
	obj, err := v.cache.get(ctx, v.pod, k)
	if err != nil {
		return nil, err
	}
	return any(obj).(*T), nil
}

func (c *Cache) get(ctx context.Context, pod types.UID, k key) (runtime.Object, error) {
	e := c.use(pod, k)
	limit := time.NewTimer(firstAnswer)
	defer limit.Stop()
	select {
	case <-e.synced:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-limit.C:
		return nil, fmt.Errorf("the server did not answer for %s %s/%s", k.resource, k.namespace, k.name)
	}
	obj := e.object.Load()
	if obj == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: strings.TrimSuffix(k.resource, "s")}, k.name)
	}
	return *obj, nil
}

// use finds or makes the entry and counts the pod among its users.
func (c *Cache) use(pod types.UID, k key) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[k]
	if e == nil {
		e = newEntry(k)
		c.entries[k] = e
		c.start(e)
	}
	e.users[pod] = true
	return e
}

// changed tells the pods that use an object; it runs on the object's own goroutine.
func (c *Cache) changed(e *entry) {
	c.mu.Lock()
	var users []types.UID
	for uid := range e.users {
		users = append(users, uid)
	}
	c.mu.Unlock()
	for _, uid := range users {
		c.notify(uid)
	}
}

// start begins the entry's watch; c.mu is held.
func (c *Cache) start(e *entry) {
	if c.ctx == nil {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	e.stop = cancel
	c.running.Go(func() { c.watch(ctx, e) })
}
