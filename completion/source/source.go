// Package source finds what stands in a cluster, for completion: resource types, objects with their
// state, containers, contexts.
//
// A session keeps a Cluster that follows what was asked for: the first question starts a watch, later
// ones are answered from memory, and a watch that nobody asks ends. A one-shot completion makes a Cluster
// that waits a bounded time for a single read. Failures are silent: no candidates.
package source

import (
	"cmp"
	"context"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"leme/completion"
)

// Config says how a Cluster answers.
type Config struct {
	// ClientConfig finds the settings for a kubeconfig file (empty: the usual places) and a context (empty: the current one).
	ClientConfig func(kubeconfig, context string) clientcmd.ClientConfig
	// Wait is how long a question waits for the server. A session says 0: it is told by Changed.
	Wait time.Duration
	// Follow keeps what was asked for up to date by watches.
	Follow bool
}

const (
	requestTimeout = 5 * time.Second
	fresh          = 10 * time.Second // how long types, containers and a context's namespace are believed
	idle           = 5 * time.Minute  // after which a watch that nobody asks ends
	retry          = 2 * time.Second  // between attempts to reach a server that does not answer
)

// Cluster answers the engine's questions from the server. It is a completion.Sources.
type Cluster struct {
	Config
	ctx context.Context

	mu         sync.Mutex
	clients    map[clientKey]*client
	namespaces map[clientKey]*cached[string]
	types      map[clientKey]*cached[[]completion.Type]
	containers map[containersKey]*cached[[]completion.Object]
	images     map[imagesKey]*cached[[]completion.Object]
	objects    map[objectsKey]*objects
	changed    chan struct{}
}

type clientKey struct{ kubeconfig, context string }

type containersKey struct {
	scope  completion.Scope
	target string
}

type objectsKey struct {
	scope           completion.Scope
	group, resource string
}

// New makes a Cluster; what it starts ends with ctx.
func New(ctx context.Context, c Config) *Cluster {
	return &Cluster{
		Config: c, ctx: ctx,
		clients:    map[clientKey]*client{},
		namespaces: map[clientKey]*cached[string]{},
		types:      map[clientKey]*cached[[]completion.Type]{},
		containers: map[containersKey]*cached[[]completion.Object]{},
		images:     map[imagesKey]*cached[[]completion.Object]{},
		objects:    map[objectsKey]*objects{},
		changed:    make(chan struct{}),
	}
}

// Changed is closed when an answer would differ from the last one.
func (c *Cluster) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *Cluster) notify() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
}

// client is shared by all questions about a context.
func (c *Cluster) client(s completion.Scope) (*client, error) {
	key := clientKey{s.Kubeconfig, s.Context}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.clients[key]; ok {
		return found, nil
	}
	made, err := newClient(c.ClientConfig(s.Kubeconfig, s.Context))
	if err != nil {
		return nil, err
	}
	c.clients[key] = made
	return made, nil
}

// namespace is the one in force: the line's, or the context's. Reading a kubeconfig takes longer than a key press may,
// so what it says is kept for a while.
func (c *Cluster) namespace(s completion.Scope) string {
	if s.Namespace != "" {
		return s.Namespace
	}
	key := clientKey{s.Kubeconfig, s.Context}
	c.mu.Lock()
	v, ok := c.namespaces[key]
	if !ok {
		v = &cached[string]{fetch: func(context.Context) (string, error) {
			namespace, _, err := c.ClientConfig(s.Kubeconfig, s.Context).Namespace()
			return namespace, err
		}}
		c.namespaces[key] = v
	}
	c.mu.Unlock()
	return cmp.Or(v.get(c.ctx, requestTimeout, c.notify), "default")
}
