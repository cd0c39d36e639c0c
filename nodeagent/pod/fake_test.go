package pod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// engine is a Runtime that keeps containers in memory and has its rules: one name once, starting once.
type engine struct {
	mu         sync.Mutex
	containers []*Container
	names      map[string]bool
	images     map[string]Image
	broken     map[string]error // by container name: what Start gives
	serial     int
	stops      chan struct{} // what stopping waits for; nil: nothing
	listeners  map[int]func(types.UID)
	envs       map[string][]string // by ID
	host       Host
	starts     chan error // what starting a sandbox waits for, and how it ends; nil: nothing
	groups     map[types.UID]Share
}

func newEngine(images ...string) *engine {
	e := &engine{names: map[string]bool{}, images: map[string]Image{}, broken: map[string]error{},
		listeners: map[int]func(types.UID){}, envs: map[string][]string{}, groups: map[types.UID]Share{}}
	for _, name := range images {
		e.images[name] = Image{ID: "sha256:" + name, RepoDigest: name + "@sha256:0", Size: 100}
	}
	return e
}

// change does something under the lock, then tells the listeners.
func (e *engine) change(uid types.UID, do func()) {
	e.mu.Lock()
	do()
	var tell []func(types.UID)
	for _, fn := range e.listeners {
		tell = append(tell, fn)
	}
	e.mu.Unlock()
	for _, fn := range tell {
		fn(uid)
	}
}

func (e *engine) list(uid types.UID) []Container {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Container
	for _, c := range e.containers {
		if uid == "" || c.PodUID == uid {
			all = append(all, *c)
		}
	}
	return all
}

func (e *engine) Containers(context.Context) ([]Container, error) { return e.list(""), nil }
func (e *engine) PodContainers(_ context.Context, uid types.UID) ([]Container, error) {
	return e.list(uid), nil
}

func (e *engine) Events(ctx context.Context, ready func(), fn func(types.UID)) error {
	e.mu.Lock()
	e.serial++
	id := e.serial
	e.listeners[id] = fn
	e.mu.Unlock()
	ready()
	<-ctx.Done()
	e.mu.Lock()
	delete(e.listeners, id)
	e.mu.Unlock()
	return ctx.Err()
}

func (e *engine) add(name string, c Container) (Container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.names[name] {
		return Container{}, fmt.Errorf("the name %s is in use", name)
	}
	e.names[name] = true
	e.serial++
	c.ID, c.Created = fmt.Sprintf("id%d", e.serial), time.Now()
	e.containers = append(e.containers, &c)
	return c, nil
}

func (e *engine) RunSandbox(ctx context.Context, s Sandbox) (Container, error) {
	if s.Handler != "" && s.Handler != "runc" {
		return Container{}, fmt.Errorf("unknown or invalid runtime name: %s", s.Handler)
	}
	c, err := e.add(fmt.Sprintf("sandbox %s %d", s.Pod.UID, s.Attempt), Container{PodUID: s.Pod.UID, PodName: s.Pod.Name,
		PodNamespace: s.Pod.Namespace, Sandbox: true, Attempt: s.Attempt, State: Created, IP: "10.0.0.9"})
	if err != nil {
		return c, err
	}
	if e.starts != nil {
		s.Made(c)
		if err := <-e.starts; err != nil {
			return c, errors.Join(err, e.Remove(ctx, c.ID))
		}
	}
	c.State, c.Started = Running, time.Now()
	e.change(s.Pod.UID, func() { *e.find(c.ID) = c })
	return c, nil
}

func (e *engine) Create(_ context.Context, s Spec) (string, error) {
	c, err := e.add(fmt.Sprintf("%s %s %d", s.Container.Name, s.Pod.UID, s.Attempt), Container{PodUID: s.Pod.UID, PodName: s.Pod.Name,
		PodNamespace: s.Pod.Namespace, Name: s.Container.Name, Attempt: s.Attempt, State: Created, Hash: s.Hash,
		SandboxID: s.SandboxID, ImageID: s.ImageID, Share: s.Share})
	if err == nil {
		e.change(s.Pod.UID, func() { e.envs[c.ID] = s.Env })
	}
	return c.ID, err
}

func (e *engine) find(id string) *Container {
	for _, c := range e.containers {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (e *engine) Start(_ context.Context, id string) error {
	var err error
	e.mu.Lock()
	c := e.find(id)
	e.mu.Unlock()
	e.change(c.PodUID, func() {
		if err = e.broken[c.Name]; err != nil {
			return
		}
		c.State, c.Started = Running, time.Now()
	})
	return err
}

func (e *engine) Resize(_ context.Context, id string, s Share) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.find(id).Share = s
	return nil
}

// end makes a container end by itself.
func (e *engine) end(id string, code int) {
	e.mu.Lock()
	c := e.find(id)
	e.mu.Unlock()
	if c == nil {
		return
	}
	e.change(c.PodUID, func() {
		if c.State == Running {
			c.State, c.ExitCode, c.Finished = Exited, code, time.Now()
		}
	})
}

// holdStops makes every stop wait until it is released.
func (e *engine) holdStops() (release func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	held := make(chan struct{})
	e.stops = held
	return func() { close(held) }
}

func (e *engine) Stop(ctx context.Context, id string, _ time.Duration) error {
	e.mu.Lock()
	held := e.stops
	e.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e.end(id, 143)
	return nil
}

func (e *engine) Remove(_ context.Context, id string) error {
	e.mu.Lock()
	c := e.find(id)
	e.mu.Unlock()
	if c == nil {
		return nil
	}
	e.change(c.PodUID, func() {
		e.containers = slices.DeleteFunc(e.containers, func(c *Container) bool { return c.ID == id })
		kind := c.Name
		if c.Sandbox {
			kind = "sandbox"
		}
		delete(e.names, fmt.Sprintf("%s %s %d", kind, c.PodUID, c.Attempt))
	})
	return nil
}

func (e *engine) Exec(context.Context, string, []string) ([]byte, int, error) { return nil, 0, nil }

func (e *engine) Image(_ context.Context, ref string) (Image, bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, i := range e.images {
		if name == ref || i.ID == ref {
			return i, true, nil
		}
	}
	return Image{}, false, nil
}

func (e *engine) HoldPod(_ context.Context, uid types.UID, s Share) error {
	e.change(uid, func() { e.groups[uid] = s })
	return nil
}

func (e *engine) ReleasePod(_ context.Context, uid types.UID) error {
	e.change(uid, func() { delete(e.groups, uid) })
	return nil
}

func (e *engine) Identity(context.Context, string, User) (*corev1.LinuxContainerUser, error) {
	return &corev1.LinuxContainerUser{SupplementalGroups: []int64{0}}, nil
}

func (e *engine) Host(context.Context) (Host, error) { return e.host, nil }

func (e *engine) Images(context.Context) ([]Image, error)             { return nil, nil }
func (e *engine) Version(context.Context) (string, error)             { return "docker://fake", nil }
func (e *engine) Tail(context.Context, string, int64) ([]byte, error) { return nil, nil }
func (e *engine) Logs(context.Context, string, corev1.PodLogOptions, io.Writer, io.Writer) error {
	return nil
}

// Pull makes the engine its own Puller: of images that begin with "good".
func (e *engine) Pull(_ context.Context, ref string, _ []corev1.Secret, progress func(PullProgress)) (Image, error) {
	if strings.HasPrefix(ref, "far") {
		return Image{}, fmt.Errorf("%w: pulling %s: no such host", ErrRegistryUnavailable, ref)
	}
	if len(ref) < 4 || ref[:4] != "good" {
		return Image{}, fmt.Errorf("MANIFEST_UNKNOWN: %s", ref)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[ref] = Image{ID: "sha256:" + ref, Size: 100}
	progress(PullProgress{Done: 100, Total: 100, LayersDone: 1, Layers: 1})
	return e.images[ref], nil
}

// MayUse keeps private images from pods without secrets.
func (e *engine) MayUse(_, ref string, secrets []corev1.Secret) bool {
	return !strings.Contains(ref, "private") || len(secrets) > 0
}
