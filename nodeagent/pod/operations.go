package pod

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/volume"
)

// waitError is why a container cannot be started now: the reason and message of its waiting state.
type waitError struct {
	Reason, Message string
	Image           string // see Waiting
}

func (e *waitError) Error() string { return e.Reason + ": " + e.Message }

// Reasons of containers that cannot be started.
const (
	configError = "CreateContainerConfigError"
	createError = "CreateContainerError"
	runError    = "RunContainerError"
)

// operation does the work of one action, on a goroutine of its own. after is run by the worker when it has succeeded.
type operation func(ctx context.Context) (after func(), err error)

// act begins an action. Cancel is done at once: the operation ends soon and tells.
func (w *worker) act(ctx context.Context, a Action) {
	if a.Verb == Cancel {
		if cancel := w.ops[a.Container]; cancel != nil {
			cancel()
		}
		return
	}
	w.launch(ctx, a, w.operationFor(a))
}

func (w *worker) launch(ctx context.Context, a Action, do operation) {
	ctx, cancel := context.WithCancel(ctx)
	w.ops[a.key()] = cancel
	switch {
	case a.Renew:
		w.view.Renewed[a.ID] = true
	case a.Verb == PreStop:
		w.view.Hooked[a.ID] = true
	}
	w.view.Busy[a.key()] = Operation{Verb: a.Verb, Until: time.Now().Add(a.Grace)}
	go func() {
		after, err := do(ctx)
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		w.results <- result{a, after, err}
	}()
}

// settle takes in the end of an operation.
func (w *worker) settle(r result) {
	key := r.action.key()
	w.ops[key]()
	delete(w.ops, key)
	delete(w.view.Busy, key)
	if told := r.action.Verb == RunSandbox && r.err == nil; !told && r.action.Verb.onEngine() {
		w.look = time.Now() // else the engine has nothing new to say
	}
	switch {
	case r.err == nil:
		delete(w.view.Failures, key)
		if r.after != nil {
			r.after()
		}
	case errors.Is(r.err, context.Canceled):
	default:
		w.fail(r.action, r.err)
	}
}

// patience is how long to wait after an operation's first failure, and at most.
var patience = map[Verb]struct{ first, most time.Duration }{
	PrepareVolumes: {500 * time.Millisecond, 2 * time.Minute},
	HoldPod:        {time.Second, time.Minute},
	RunSandbox:     {time.Second, time.Minute},
	Start:          {2 * time.Second, time.Minute},
	Kill:           {time.Second, 30 * time.Second},
	Resize:         {time.Second, time.Minute},
	Remove:         {time.Second, 30 * time.Second},
	TearDown:       {time.Second, 30 * time.Second},
	FreeVolumes:    {time.Second, 30 * time.Second},
	DeletePod:      {500 * time.Millisecond, 10 * time.Second},
	reportStatus:   {500 * time.Millisecond, 10 * time.Second},
}

func (w *worker) fail(a Action, err error) {
	f := Failure{Message: err.Error(), At: time.Now()}
	p := patience[a.Verb]
	var waits *waitError
	if errors.As(err, &waits) {
		f.Reason, f.Message, f.Image = waits.Reason, waits.Message, waits.Image
	}
	if pullFailed(f.Reason) {
		p.first, p.most = backOffInitial, backOffMax
	}
	f.Delay = double(w.view.Failures[a.key()].Delay, p.first, p.most)
	w.view.Failures[a.key()] = f
	if f.Reason == createError {
		w.distrustVolumes() // what it mounts may be gone
	}
	w.log.Debug("an operation failed", "action", a.String(), "error", err, "again", f.Delay)
	var mounts volume.Errors
	if errors.As(err, &mounts) {
		w.narrator.failedMounts(w.view.Pod, mounts)
		return
	}
	w.narrator.failed(w.view.Pod, a, f)
}

func (w *worker) operationFor(a Action) operation {
	switch a.Verb {
	case PrepareVolumes:
		return w.prepareVolumes()
	case HoldPod:
		return w.holdPod()
	case RunSandbox:
		return w.runSandbox(a)
	case Start:
		return w.start(a)
	case Resize:
		return w.resize(a)
	case PreStop:
		return w.preStop(a)
	case Kill:
		return w.kill(a)
	case Remove:
		return func(ctx context.Context) (func(), error) { return nil, w.deps.Runtime.Remove(ctx, a.ID) }
	case TearDown:
		return w.tearDown
	case FreeVolumes:
		return w.freeVolumes
	case DeletePod:
		return w.deletePod()
	}
	return func(context.Context) (func(), error) { return nil, fmt.Errorf("no operation for %s", a) }
}

// resize has the engine hold a container to what it is given now.
func (w *worker) resize(a Action) operation {
	share := w.view.share(containerOf(w.view.Pod, a.Container))
	return func(ctx context.Context) (func(), error) {
		return func() { w.view.Resized[a.ID] = share }, w.deps.Runtime.Resize(ctx, a.ID, share)
	}
}

func (w *worker) prepareVolumes() operation {
	pod := w.podNow()
	return func(ctx context.Context) (func(), error) {
		paths, err := w.volumes.SetUp(ctx, pod)
		if err != nil {
			return nil, err
		}
		return func() {
			w.paths, w.view.Volumes, w.view.Stale, w.view.Freed = paths, true, false, false
			w.publish()
		}, nil
	}
}

func (w *worker) tearDown(ctx context.Context) (func(), error) {
	if err := w.volumes.TearDown(); err != nil {
		return nil, err
	}
	if unknown := len(w.view.Pod.Spec.Containers) == 0; unknown || w.view.Pod.Spec.Resources != nil {
		if err := w.deps.Runtime.ReleasePod(ctx, w.uid); err != nil {
			return nil, err
		}
	}
	w.release()
	return func() { w.view.Clean, w.view.Freed, w.view.Volumes = true, true, false }, nil
}

func (w *worker) freeVolumes(context.Context) (func(), error) {
	if err := w.volumes.Free(); err != nil {
		return nil, err
	}
	return func() { w.paths, w.view.Volumes, w.view.Freed = nil, false, true }, nil
}

func (w *worker) runSandbox(a Action) operation {
	pod := w.view.Pod
	name, _ := hostname(pod, w.deps.Hostname)
	dns := podDNS(pod, w.deps.DNS)
	var last Container
	if sandboxes := groupOf(w.view.Containers).sandboxes; len(sandboxes) > 0 {
		last = sandboxes[0]
	}
	say := w.narrator.pod // it only records events, from any goroutine
	start := &sandboxStart{over: make(chan struct{})}
	return func(ctx context.Context) (func(), error) {
		if err := checkHostname(name); err != nil {
			return nil, err
		}
		if err := w.awaitNetwork(ctx, pod, say); err != nil {
			return nil, err
		}
		handler, err := runtimeHandler(ctx, w.deps.Client, pod)
		if err != nil {
			return nil, err
		}
		sandbox, err := w.deps.Runtime.RunSandbox(ctx, Sandbox{
			Pod: pod, Attempt: a.Attempt, Hostname: name, DNS: dns, Ports: hostPorts(pod), Handler: handler,
			Made: func(c Container) { w.made(c, start) },
		})
		w.endMaking(start, sandbox, err)
		return func() {
			if last.ID != "" {
				w.view.BackOff[sandboxKey] = w.view.BackOff[sandboxKey].Next(last)
			}
			w.view.Containers = with(w.view.Containers, sandbox)
			w.publish()
		}, err
	}
}

// networkNotReady is what the kubelet says while a pod cannot have an address.
const networkNotReady = "network is not ready: container runtime network not ready: the node has no pod network yet"

// awaitNetwork waits until the pod can have its address, and says so once.
func (w *worker) awaitNetwork(ctx context.Context, pod *corev1.Pod, say func(pod *corev1.Pod, kind, reason, message string)) error {
	if w.deps.Network == nil || pod.Spec.HostNetwork {
		return nil
	}
	select {
	case <-w.deps.Network:
		return nil
	default:
		say(pod, corev1.EventTypeWarning, "NetworkNotReady", networkNotReady)
	}
	select {
	case <-w.deps.Network:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// with lists a container in its newest state, once: the engine may have told of it before the operation that made it.
func with(list []Container, newest Container) []Container {
	others := slices.DeleteFunc(slices.Clone(list), func(c Container) bool { return c.ID == newest.ID })
	return append(others, newest)
}

// hostPorts lists the ports to publish on the host; in its own network they are there already.
func hostPorts(pod *corev1.Pod) []corev1.ContainerPort {
	if pod.Spec.HostNetwork {
		return nil
	}
	var ports []corev1.ContainerPort
	for _, c := range allContainers(pod) {
		for _, p := range c.Ports {
			if p.HostPort > 0 {
				ports = append(ports, p)
			}
		}
	}
	return ports
}

// podNow is the pod with the addresses that it has by now, whatever the API has been told.
func (w *worker) podNow() *corev1.Pod {
	pod := *w.view.Pod
	pod.Status = *w.view.Pod.Status.DeepCopy()
	w.view.addresses(&pod.Status, groupOf(w.expected()))
	return &pod
}
