package pod

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/volume"
)

// worker is one pod's goroutine. Everything but the mailbox is touched by that goroutine alone; operations get what
// they need when they start, and hand back a function that the goroutine runs.
type worker struct {
	deps    *Config
	uid     types.UID
	objects Objects
	links   *services
	release func() // of the objects in use
	afford  func(*corev1.Pod) Waiting
	gate    func(*corev1.Pod) Verdict
	end     func(types.UID, End) <-chan struct{} // of another pod
	judged  *corev1.Pod                          // the pod whose spec was compared with what the host can
	asked   bool                                 // the gate has let the pod in, or not
	static  bool                                 // the pod comes from a file
	mirrors *mirrored                            // which show static pods in the API
	log     *slog.Logger
	files   files
	volumes volume.Pod

	wake    chan struct{}
	results chan result
	mail    mailbox
	making  *making

	imageVolumes imageVolumes

	view     View
	paths    map[string]string // of the volumes
	ops      map[string]context.CancelFunc
	probers  map[string]context.CancelFunc // by container ID
	probing  sync.WaitGroup
	narrator narrator
	sent     sentStatus
	look     time.Time // when to ask the engine again; zero: no need
	unheard  int       // how often in a row the engine did not answer
}

// result is the end of an operation.
type result struct {
	action Action
	after  func()
	err    error
}

func newWorker(deps *Config, pod *corev1.Pod, objects Objects, release func()) *worker {
	dir := filepath.Join(deps.Dir, string(pod.UID))
	w := &worker{
		deps: deps, uid: pod.UID, objects: objects, release: release,
		log:     deps.Logger.With("pod", pod.Namespace+"/"+pod.Name),
		files:   files{dir},
		volumes: volume.Pod{Dir: dir, Memory: deps.Allocatable.Memory().Value(), Objects: objects, Fields: deps.Fields},
		wake:    make(chan struct{}, 1),
		results: make(chan result),
		mail:    mailbox{pod: pod, changed: true, health: map[string]Health{}},
		ops:     map[string]context.CancelFunc{},
		probers: map[string]context.CancelFunc{},
	}
	w.view = View{
		Pod: pod, BackOff: map[string]BackOff{}, Failures: map[string]Failure{}, Busy: map[string]Operation{},
		Resized: map[string]Share{}, Renewed: map[string]bool{}, Hooked: map[string]bool{}, HostIP: deps.NodeIP, ImageIDs: map[string]string{}, Users: map[string]*corev1.LinuxContainerUser{}, Messages: map[string]string{}, Ended: map[string]time.Time{},
	}
	w.narrator = narrator{deps: deps, told: map[string]Waiting{}}
	return w
}

// run goes round until the pod is gone and clean, or the context ends: then operations are broken off and the
// containers run on.
func (w *worker) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer w.stop(cancel)
	for {
		wake, done := w.round(ctx)
		if done || !w.wait(ctx, wake) {
			return
		}
	}
}

// stop leaves no goroutine behind.
func (w *worker) stop(cancel context.CancelFunc) {
	cancel()
	for len(w.ops) > 0 {
		w.settle(<-w.results)
	}
	w.probing.Wait()
}

// round observes, plans, acts and reports once. wake is when to come again though nothing happens.
func (w *worker) round(ctx context.Context) (wake time.Time, done bool) {
	w.collect()
	if !w.observe(ctx) || !w.judge(ctx) {
		return w.look, false
	}
	w.enter(ctx)
	w.askForRoom()
	now := time.Now()
	if start := w.view.Pod.Status.StartTime; start != nil {
		w.view.Begun = w.view.Begun.at(start.Time, now)
	}
	plan := w.view.Plan(now)
	if len(plan.Actions) > 0 {
		w.log.Debug("planned", "plan", plan.String())
	}
	w.narrator.tell(&w.view, plan, now)
	for _, c := range w.narrator.resizes.next(&w.view) {
		w.narrator.pod(w.view.Pod, c.kind, c.reason, c.message)
	}
	for _, a := range plan.Actions {
		w.act(ctx, a)
	}
	w.probe(ctx)
	w.report(ctx, &plan, now)
	w.serve()
	if !w.look.IsZero() {
		plan.wakeAt(w.look)
	}
	return plan.Wake, plan.Done
}

// wait blocks until there is a reason to go round again; false when the context has ended.
func (w *worker) wait(ctx context.Context, wake time.Time) bool {
	var alarm <-chan time.Time
	if !wake.IsZero() {
		timer := time.NewTimer(time.Until(wake))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-alarm:
	case <-w.wake:
	case r := <-w.results:
		w.settle(r)
	}
	for { // take along what has ended meanwhile
		select {
		case r := <-w.results:
			w.settle(r)
		default:
			return true
		}
	}
}

// refresh tries again what failed for want of an object, and makes volumes that are set up be brought up to date.
// It says false when that must wait for the operation under way.
func (w *worker) refresh() bool {
	if _, busy := w.ops[volumesKey]; busy {
		return false
	}
	w.view.Stale = true
	for key, f := range w.view.Failures {
		if key == volumesKey || f.Reason == configError {
			delete(w.view.Failures, key)
		}
	}
	return true
}

// observe asks the engine for the pod's containers when there is a reason to; false when it did not answer.
func (w *worker) observe(ctx context.Context) bool {
	if w.look.IsZero() || time.Now().Before(w.look) {
		return w.unheard == 0
	}
	containers, err := w.deps.Runtime.PodContainers(ctx, w.uid)
	if err != nil {
		w.unanswered(ctx, "the engine does not tell of the pod's containers", err)
		return false
	}
	w.unheard, w.look = 0, time.Time{}
	w.view.Containers = containers
	w.study(ctx)
	w.publish()
	return true
}

// unanswered makes the worker ask the engine again after a while, the longer the more often it did not answer.
func (w *worker) unanswered(ctx context.Context, what string, err error) {
	if ctx.Err() == nil && w.unheard == 0 {
		w.log.Warn(what, "error", err)
	}
	w.unheard++
	w.look = time.Now().Add(min(time.Second<<min(w.unheard, 4), 10*time.Second))
}

// study finds out what the status says of containers beyond their state.
func (w *worker) study(ctx context.Context) {
	present := map[string]bool{}
	for _, c := range w.view.Containers {
		present[c.ID] = true
		if _, known := w.view.Ended[c.ID]; !known && c.State == Exited {
			w.noteEnd(c)
		}
		if c.Sandbox {
			continue
		}
		w.studyImage(ctx, c)
		w.studyUser(ctx, c)
		if _, known := w.view.Messages[c.ID]; known || c.State != Exited {
			continue
		}
		if spec := containerOf(w.view.Pod, c.Name); spec != nil {
			message, err := w.files.message(ctx, w.deps.Runtime, spec, c)
			if err != nil {
				message = "Error on reading termination message: " + err.Error()
			}
			w.view.Messages[c.ID] = message[:min(len(message), messageLimit(w.view.Pod))]
		}
	}
	maps.DeleteFunc(w.view.Messages, func(id, _ string) bool { return !present[id] })
	maps.DeleteFunc(w.view.Ended, func(id string, _ time.Time) bool { return !present[id] })
	maps.DeleteFunc(w.view.Users, func(id string, _ *corev1.LinuxContainerUser) bool { return !present[id] })
	maps.DeleteFunc(w.view.Resized, func(id string, _ Share) bool { return !present[id] })
	maps.DeleteFunc(w.view.Renewed, func(id string, _ bool) bool { return !present[id] })
	maps.DeleteFunc(w.view.Hooked, func(id string, _ bool) bool { return !present[id] })
}

// noteEnd keeps when a container ended. Before it starts again its volumes are looked at.
func (w *worker) noteEnd(c Container) {
	w.view.Ended[c.ID] = steady(c.Finished, time.Now())
	w.distrustVolumes()
}

// distrustVolumes has the volumes that are set up be brought to what they must be.
func (w *worker) distrustVolumes() {
	w.view.Stale = w.view.Stale || w.view.Volumes && len(w.view.Pod.Spec.Volumes) > 0
}

func (w *worker) studyImage(ctx context.Context, c Container) {
	if _, known := w.view.ImageIDs[c.ImageID]; known || c.ImageID == "" {
		return
	}
	if image, ok, err := w.deps.Runtime.Image(ctx, c.ImageID); err == nil && ok {
		w.view.ImageIDs[c.ImageID] = image.RepoDigest
	}
}

func containerOf(pod *corev1.Pod, name string) *corev1.Container {
	for _, c := range allContainers(pod) {
		if c.Name == name {
			return c
		}
	}
	for _, c := range ephemeralContainers(pod) {
		if c.Name == name {
			return &c
		}
	}
	return nil
}
