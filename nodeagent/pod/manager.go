package pod

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/object"
)

// Manager runs all pods of the node, a worker each.
type Manager struct {
	config  Config
	objects *object.Cache
	links   *services
	mirrors *mirrored

	mu       sync.Mutex
	ctx      context.Context // of the workers; nil while not running
	workers  map[types.UID]*worker
	claims   map[types.UID]corev1.ResourceList // what resized pods were granted
	admitted map[types.UID]bool                // who was let in
	synced   bool                              // the server has listed the node's pods at least once
	running  sync.WaitGroup

	static      map[types.UID]*corev1.Pod // from files
	staticKnown chan struct{}             // closed once they are known
	staticOnce  sync.Once

	relist chan struct{}
}

// NewManager makes a manager; nothing runs yet.
func NewManager(c Config) *Manager {
	m := &Manager{config: c, workers: map[types.UID]*worker{}, claims: map[types.UID]corev1.ResourceList{},
		admitted: map[types.UID]bool{}, relist: make(chan struct{}, 1)}
	m.objects = object.New(c.Client, m.objectsChanged)
	m.links = newServices(c.APIServer)
	m.mirrors = newMirrored(c.Client, c.Node, c.Logger)
	m.staticKnown = make(chan struct{})
	return m
}

// Run runs the node's pods until the context ends; their containers run on.
//
//  1. ConfigMaps and Secrets are kept for those who use them
//  2. the engine's events wake the workers of the pods concerned
//  3. a relist now and then finds what events did not tell, and containers that no pod owns
//  4. the cluster's services are watched, for containers to be told of
//  5. the pods from files are read; each gets a worker, and a mirror in the API
//  6. the pods of this node are watched; each gets a worker, but the mirrors of those from files
func (m *Manager) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	m.mu.Lock()
	m.ctx = ctx
	m.mu.Unlock()
	g.Go(func() error { return m.objects.Run(ctx) })
	g.Go(func() error { return m.followEngine(ctx) })
	g.Go(func() error { return m.relists(ctx) })
	g.Go(func() error { m.links.run(ctx, m.config.Client); return nil })
	g.Go(func() error { return m.mirrors.run(ctx) })
	g.Go(func() error { return m.readStatic(ctx) })
	g.Go(func() error { m.watchPods(ctx); return nil })
	err := g.Wait()
	m.mu.Lock()
	m.ctx = nil
	m.mu.Unlock()
	m.running.Wait()
	return err
}

// engineRetry is how long to wait before listening to the engine again.
const engineRetry = time.Second

// followEngine passes the engine's events on, and subscribes again when the stream breaks.
func (m *Manager) followEngine(ctx context.Context) error {
	for {
		err := m.config.Runtime.Events(ctx, m.hearEngine, m.containersChanged)
		if ctx.Err() != nil {
			return nil
		}
		m.tellEngine()
		m.config.Logger.Warn("the engine's events broke off", "error", err)
		if sleep(ctx, engineRetry) != nil {
			return nil
		}
	}
}

// hearEngine is called when the engine is heard again: what happened meanwhile was not told.
func (m *Manager) hearEngine() {
	m.askRelist()
	m.tellEngine()
}

func (m *Manager) tellEngine() {
	if m.config.EngineTurned != nil {
		m.config.EngineTurned()
	}
}

func (m *Manager) containersChanged(uid types.UID) {
	if w := m.worker(uid); w != nil {
		w.containersChanged()
	} else {
		m.askRelist() // a container of a pod that has no worker
	}
}

func (m *Manager) objectsChanged(uid types.UID) {
	if w := m.worker(uid); w != nil {
		w.objectsChanged()
	}
}

func (m *Manager) worker(uid types.UID) *worker {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.workers[uid]
}

// ensure starts a worker for a pod that has none, or passes the pod's newer state on.
func (m *Manager) ensure(pod *corev1.Pod, list revision, gone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w := m.workers[pod.UID]; w != nil {
		w.keep(pod, list)
	} else if m.ctx != nil {
		m.start(m.ctx, pod, gone)
	}
}

// start makes a worker; m.mu is held.
func (m *Manager) start(ctx context.Context, pod *corev1.Pod, gone bool) {
	uid := pod.UID
	w := newWorker(&m.config, pod, m.objects.For(uid), func() { m.objects.Release(uid) })
	w.mail.gone = gone
	w.afford, w.links = m.afford, m.links
	w.gate, w.end, w.asked = m.admit, m.End, gone || letIn(pod)
	w.static, w.mirrors = m.static[uid] != nil, m.mirrors
	m.workers[uid], m.admitted[uid] = w, w.asked
	m.running.Go(func() {
		w.run(ctx)
		m.retire(ctx, w)
	})
}

// retire forgets a worker that has ended, unless its pod has come back since it decided to end.
func (m *Manager) retire(ctx context.Context, w *worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.workers, w.uid)
	delete(m.claims, w.uid)
	delete(m.admitted, w.uid)
	w.dismiss()
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	if !w.mail.gone && ctx.Err() == nil {
		m.start(ctx, w.mail.pod, false)
	}
	if w.static && ctx.Err() == nil {
		m.startStatic(ctx)
	}
}

func (m *Manager) lose(uid types.UID, last *corev1.Pod) {
	if w := m.worker(uid); w != nil {
		w.lose(last)
	}
}
