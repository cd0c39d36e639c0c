package shutdown

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/record"

	"leme/nodeagent/pod"
)

// Pods are those of the node.
type Pods interface {
	Active() []*corev1.Pod
	End(types.UID, pod.End) <-chan struct{}
}

// Config is what a manager needs. All but Bus and ConfDir must be set.
type Config struct {
	Grace    time.Duration // for which a shutdown is held up; 0: not at all
	Critical time.Duration // the last part of it, for critical pods
	Pods     Pods
	Events   record.EventRecorder
	Node     *corev1.ObjectReference
	Changed  func() // called when the machine begins to go down, or does not any more
	Logger   *slog.Logger
	Bus      string // address of the system's bus; default: the system's own
	ConfDir  string // of files that override logind's settings; default: the system's own
}

// Manager ends pods before the machine goes down.
type Manager struct {
	Config
	mu    sync.Mutex
	going bool
}

// New makes a manager; it does nothing before Run.
func New(c Config) *Manager {
	if c.ConfDir == "" {
		c.ConfDir = overrides
	}
	return &Manager{Config: c}
}

// errGoing is what keeps the node from running pods while its machine goes down.
var errGoing = errors.New("node is shutting down")

// Status is nil unless the machine is going down.
func (m *Manager) Status() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.going {
		return errGoing
	}
	return nil
}

// Admit refuses pods while the machine goes down.
func (m *Manager) Admit(*corev1.Pod) pod.Verdict {
	if m.Status() == nil {
		return pod.Verdict{}
	}
	return pod.Verdict{Reason: "NodeShutdown", Message: "Pod was rejected as the node is shutting down."}
}

const reconnect = time.Second

// Run holds shutdowns up until the context ends. When the bus breaks off it connects again.
func (m *Manager) Run(ctx context.Context) error {
	if m.Grace == 0 {
		return nil
	}
	told := false
	err := wait.PollUntilContextCancel(ctx, reconnect, true, func(ctx context.Context) (bool, error) {
		err := m.watch(ctx)
		if ctx.Err() != nil {
			return true, nil
		}
		if !told {
			told = true
			m.Logger.Debug("shutdowns of this machine cannot be held up", "error", err)
		}
		return false, nil
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// watch holds shutdowns up as long as the bus is there.
func (m *Manager) watch(ctx context.Context) error {
	b, err := connect(ctx, m.Bus, m.ConfDir)
	if err != nil {
		return err
	}
	defer b.close()
	if err := m.makeTime(ctx, b); err != nil {
		return err
	}
	lock, err := b.inhibit(ctx)
	if err != nil {
		return err
	}
	defer func() { release(lock) }()
	m.Logger.Info("shutdowns of this machine are held up", "grace", m.Grace)
	for {
		begins, err := b.next(ctx)
		if err != nil {
			return err
		}
		m.set(begins)
		if begins {
			m.endAll(ctx)
			release(lock)
			lock = nil
		} else if lock == nil {
			if lock, err = b.inhibit(ctx); err != nil {
				return err
			}
		}
	}
}

func release(lock *os.File) {
	if lock != nil {
		lock.Close()
	}
}

// makeTime sees to it that logind allows the delay that is asked for.
func (m *Manager) makeTime(ctx context.Context, b *bus) error {
	allowed, err := b.delay()
	if err != nil || allowed >= m.Grace {
		return err
	}
	if err := b.allow(ctx, m.Grace); err != nil {
		return err
	}
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: 5}
	err = wait.ExponentialBackoffWithContext(ctx, backoff, func(context.Context) (bool, error) {
		allowed, err = b.delay()
		return allowed >= m.Grace, err
	})
	if err != nil {
		return fmt.Errorf("logind lets shutdowns be held up for %s, not for %s: %w", allowed, m.Grace, err)
	}
	return nil
}

func (m *Manager) set(going bool) {
	m.mu.Lock()
	m.going = going
	m.mu.Unlock()
	what := "Shutdown manager detected shutdown cancellation"
	if going {
		what = "Shutdown manager detected shutdown event"
	}
	m.Logger.Info("logind tells of the machine", "going down", going)
	m.Events.Event(m.Node, corev1.EventTypeNormal, "NodeShutdown", what)
	m.Changed()
}

// endAll ends the pods, one group after the other.
func (m *Manager) endAll(ctx context.Context) {
	started.SetToCurrentTime()
	ended.Set(0)
	for _, g := range plan(m.Pods.Active(), m.Grace, m.Critical) {
		var ends []<-chan struct{}
		for _, p := range g.pods {
			ends = append(ends, m.Pods.End(p.UID, g.end(p)))
		}
		m.await(ctx, ends, g.grace)
	}
	ended.SetToCurrentTime()
}

func (m *Manager) await(ctx context.Context, ends []<-chan struct{}, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, end := range ends {
		select {
		case <-end:
		case <-ctx.Done():
			m.Logger.Warn("not all pods have ended in their time", "grace", patience)
			return
		}
	}
}
