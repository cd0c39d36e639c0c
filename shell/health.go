package shell

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"leme/shell/command"
)

// How often, and how long, the cluster is asked whether it is there.
const (
	askEvery = 3 * time.Second
	askFor   = 2 * time.Second
)

// watcher follows a cluster's health in the background. The prompt reads the last state; it never waits.
type watcher struct {
	changed func() // called after each change

	mu    sync.Mutex
	state health
}

// Health is the state last heard.
func (w *watcher) Health() health {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

func (w *watcher) set(change func(*health)) {
	w.mu.Lock()
	before := w.state
	change(&w.state)
	differs := w.state != before
	w.mu.Unlock()
	if differs {
		w.changed()
	}
}

// Run follows the cluster of the context in force until ctx ends.
func (w *watcher) Run(ctx context.Context, scope func() (command.Scope, <-chan struct{})) {
	for ctx.Err() == nil {
		now, _ := scope()
		within, cancel := context.WithCancel(ctx)
		var parts sync.WaitGroup
		parts.Go(func() {
			awaitContext(within, now.Context, scope)
			cancel()
		})
		parts.Go(func() { w.follow(within, command.Scope{Context: now.Context}) })
		parts.Wait()
	}
}

// awaitContext returns when another context is in force, or ctx ends.
func awaitContext(ctx context.Context, name string, scope func() (command.Scope, <-chan struct{})) {
	for {
		now, moved := scope()
		if now.Context != name {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-moved:
		}
	}
}

// follow asks the cluster again and again, and counts its nodes and pods while it answers.
func (w *watcher) follow(ctx context.Context, scope command.Scope) {
	w.set(func(h *health) { *h = health{} })
	var counting sync.WaitGroup
	defer counting.Wait()
	stop := func() {}
	defer func() { stop() }()
	up := false
	for {
		reachable, client := ask(ctx, scope)
		switch {
		case ctx.Err() != nil:
			return
		case !reachable:
			stop()
			w.set(func(h *health) { *h = health{Known: true} })
		case !up:
			w.set(func(h *health) { *h = health{Known: true, Reachable: true} })
			within, cancel := context.WithCancel(ctx)
			stop = cancel
			counting.Go(func() { w.count(within, client) })
		}
		up = reachable
		select {
		case <-ctx.Done():
			return
		case <-time.After(askEvery):
		}
	}
}

// ask reports whether the cluster answers, with a client for it.
func ask(ctx context.Context, scope command.Scope) (bool, kubernetes.Interface) {
	config, err := command.NewClient(ctx, scope).ToRESTConfig()
	if err != nil {
		return false, nil
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return false, nil
	}
	within, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	err = client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(within).Error()
	return err == nil, client
}
