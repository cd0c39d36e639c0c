package shutdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	"leme/nodeagent/pod"
)

func one(name string, priority int32, grace int64) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)},
		Spec:       corev1.PodSpec{Priority: &priority, TerminationGracePeriodSeconds: &grace},
	}
}

func TestPlan(t *testing.T) {
	web, job, dns := one("web", 0, 30), one("job", 1000, 5), one("dns", 2_000_000_000, 30)
	for _, c := range []struct {
		name            string
		pods            []*corev1.Pod
		grace, critical time.Duration
		want            string
	}{
		{"both kinds", []*corev1.Pod{dns, web, job}, 30 * time.Second, 10 * time.Second, "20s: web within 20s, job within 5s; 10s: dns within 10s"},
		{"ordinary ones", []*corev1.Pod{web}, 30 * time.Second, 10 * time.Second, "20s: web within 20s"},
		{"critical ones", []*corev1.Pod{dns}, 30 * time.Second, 10 * time.Second, "10s: dns within 10s"},
		{"nothing for critical ones", []*corev1.Pod{dns, web}, 30 * time.Second, 0, "30s: web within 30s; 0s: dns within 1s"},
		{"nobody", nil, 30 * time.Second, 0, ""},
	} {
		var groups []string
		for _, g := range plan(c.pods, c.grace, c.critical) {
			var pods []string
			for _, p := range g.pods {
				pods = append(pods, fmt.Sprintf("%s within %s", p.Name, g.end(p).Grace))
			}
			groups = append(groups, fmt.Sprintf("%s: %s", g.grace, strings.Join(pods, ", ")))
		}
		if got := strings.Join(groups, "; "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// node has pods that end when they are told to, but for those that are stuck.
type node struct {
	mu    sync.Mutex
	pods  []*corev1.Pod
	stuck string
	story []string
}

func (n *node) Active() []*corev1.Pod { return n.pods }

func (n *node) End(uid types.UID, e pod.End) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.story = append(n.story, fmt.Sprintf("%s %s", uid, e.Reason))
	done := make(chan struct{})
	if string(uid) != n.stuck {
		close(done)
	}
	return done
}

func (n *node) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.story, ", ")
}

func run(t *testing.T, c Config) *Manager {
	t.Helper()
	c.Node, c.Logger = &corev1.ObjectReference{Kind: "Node"}, slog.New(slog.DiscardHandler)
	m := New(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return m
}

// within gives what comes, or fails.
func within[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: not in time", what)
		panic("unreachable")
	}
}

// released waits until a lock is.
func released(t *testing.T, lock pipe) {
	t.Helper()
	lock.own.Close()
	end := make(chan error, 1)
	go func() {
		_, err := lock.end.Read(make([]byte, 1))
		end <- err
	}()
	if err := within(t, "the lock's release", end); !errors.Is(err, io.EOF) {
		t.Errorf("the lock: %v", err)
	}
}

// TestShutdown: logind is asked for time, pods end in their order, the machine may go, and when it does not after all
// the next shutdown is held up again.
func TestShutdown(t *testing.T) {
	l := newMachine(t, 5)
	n := &node{pods: []*corev1.Pod{one("dns", 2_000_000_000, 30), one("web", 0, 30)}}
	events, changed := record.NewFakeRecorder(9), make(chan struct{}, 9)
	m := run(t, Config{Grace: 30 * time.Second, Critical: 10 * time.Second, Pods: n, Events: events, Changed: func() { changed <- struct{}{} }, Bus: l.address, ConfDir: l.confDir})
	lock := within(t, "a lock", l.locks)
	if got := fmt.Sprint(l.asked, l.props.GetMust(logindManager, "InhibitDelayMaxUSec")); got != "[delay by leme: shutdown] 30000000" {
		t.Errorf("logind was asked for %s", got)
	}
	if m.Status() != nil || m.Admit(nil).Reason != "" {
		t.Error("it goes down already")
	}
	l.prepare(true)
	within(t, "a change", changed)
	if v := m.Admit(nil); m.Status() == nil || v.Reason != "NodeShutdown" || v.Message != "Pod was rejected as the node is shutting down." {
		t.Errorf("pods are let in: %+v", v)
	}
	released(t, lock)
	if got := n.String(); got != "web Terminated, dns Terminated" {
		t.Errorf("ended %s", got)
	}
	if got := <-events.Events; got != "Normal NodeShutdown Shutdown manager detected shutdown event" {
		t.Errorf("event %s", got)
	}
	l.prepare(false)
	within(t, "another lock", l.locks)
	within(t, "another change", changed)
	if m.Status() != nil {
		t.Error("it still goes down")
	}
}

// TestStuck: pods that do not end hold the machine up no longer than they may.
func TestStuck(t *testing.T) {
	l := newMachine(t, 60)
	n := &node{pods: []*corev1.Pod{one("web", 0, 30)}, stuck: "web"}
	run(t, Config{Grace: time.Second, Pods: n, Events: record.NewFakeRecorder(9), Changed: func() {}, Bus: l.address, ConfDir: l.confDir})
	lock := within(t, "a lock", l.locks)
	l.prepare(true)
	released(t, lock)
}

// TestNoLogind: where there is none nothing happens, and nothing fails.
func TestNoLogind(t *testing.T) {
	m := run(t, Config{Grace: time.Second, Pods: &node{}, Events: record.NewFakeRecorder(9), Changed: func() {}, Bus: "unix:path=/nowhere"})
	if m.Status() != nil {
		t.Error("it goes down")
	}
	off := New(Config{})
	if err := off.Run(t.Context()); err != nil {
		t.Errorf("switched off: %v", err)
	}
}
