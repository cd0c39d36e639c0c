package pod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/apitest"
	"leme/nodeagent/downward"
)

// bed is a manager over a made-up engine and API.
type bed struct {
	t      *testing.T
	engine *engine
	client apitest.API
	dir    string
	events *story
	stop   func()
	m      *Manager
	gate   Gate

	static  Static
	network <-chan struct{}
}

// room is what the bed's node has.
var room = corev1.ResourceList{"cpu": resource.MustParse("2"), "memory": resource.MustParse("1Gi")}

// story keeps events as "Reason message".
type story struct {
	mu    sync.Mutex
	lines []string
}

func (s *story) Event(_ runtime.Object, _, reason, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, reason+" "+message)
}

func (s *story) Eventf(o runtime.Object, kind, reason, format string, _ ...any) {
	s.Event(o, kind, reason, format)
}

func (s *story) AnnotatedEventf(o runtime.Object, _ map[string]string, kind, reason, format string, _ ...any) {
	s.Event(o, kind, reason, format)
}

func (s *story) has(prefix string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.lines, func(l string) bool { return strings.HasPrefix(l, prefix) })
}

func (s *story) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func newBed(t *testing.T, e *engine, objects ...runtime.Object) *bed {
	return newGatedBed(t, nil, e, objects...)
}

func newGatedBed(t *testing.T, gate Gate, e *engine, objects ...runtime.Object) *bed {
	b := &bed{t: t, engine: e, client: apitest.New(objects...), dir: t.TempDir(), events: &story{}, gate: gate}
	b.run()
	t.Cleanup(func() { b.stop() })
	return b
}

// run starts an agent's manager; stop ends it as a kill would: nothing of the pods is touched.
func (b *bed) run() {
	ctx, cancel := context.WithCancel(context.Background())
	m := NewManager(Config{
		Client: b.client, Runtime: b.engine, Puller: b.engine, Events: b.events,
		Fields: downward.Resolver{Allocatable: func() corev1.ResourceList { return nil }},
		Dir:    b.dir, NodeName: "node", Hostname: "node", NodeIP: "192.0.2.1", Capacity: room, Allocatable: room, Gate: b.gate,
		Static: b.static, Network: b.network, Node: func() *corev1.Node { return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node", UID: "node"}} },
		Logger: slog.New(slog.DiscardHandler),
	})
	b.m = m
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
		b.stop = func() {}
	}
}

func (b *bed) until(what string, ok func() bool) {
	b.t.Helper()
	apitest.Until(b.t, 10*time.Second, what, ok, func() string {
		return fmt.Sprintf("containers %+v\nevents %s", b.engine.list(""), b.events)
	})
}

func (b *bed) create(p *corev1.Pod) {
	b.t.Helper()
	if _, err := b.client.CoreV1().Pods(p.Namespace).Create(b.t.Context(), p, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) pod(name string) *corev1.Pod { return b.client.Pod(b.t, "ns", name) }

// remove deletes a pod and waits until its agent has taken it out.
func (b *bed) remove(name string) {
	b.t.Helper()
	b.client.Delete(b.t, "ns", name, 1)
	b.until(name+" is deleted", func() bool { return b.pod(name).Name == "" })
}

func (b *bed) phase(name string, want corev1.PodPhase) func() bool {
	return func() bool { return b.pod(name).Status.Phase == want }
}

func (b *bed) ready(name string) func() bool {
	return func() bool { return b.client.Ready(b.t, "ns", name) }
}

func (b *bed) waits(name, reason string) func() bool {
	return func() bool {
		s := b.pod(name).Status.ContainerStatuses
		return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == reason
	}
}

func bound(mods ...func(*corev1.Pod)) *corev1.Pod {
	p := web()
	p.Spec.NodeName = "node"
	for _, mod := range mods {
		mod(p)
	}
	return p
}

// TestLife: a pod comes up, its container dies and comes back, it is deleted, and nothing is left.
func TestLife(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound())
	b.until("ready", b.ready("web"))
	status := b.pod("web").Status
	if status.PodIP != "10.0.0.9" || status.HostIP != "192.0.2.1" || status.ContainerStatuses[0].ImageID != "img:1@sha256:0" {
		t.Errorf("status %+v", status)
	}
	id, err := b.m.ContainerID("ns", "web", "web", false)
	if err != nil {
		t.Fatal(err)
	}
	b.engine.end(id, 1)
	b.until("restarted", func() bool {
		s := b.pod("web").Status.ContainerStatuses[0]
		return s.RestartCount == 1 && s.Ready && s.LastTerminationState.Terminated != nil
	})
	if previous, err := b.m.ContainerID("ns", "web", "web", true); err != nil || previous != id {
		t.Errorf("previous %s, %v; want %s", previous, err, id)
	}
	b.remove("web")
	b.until("nothing left", func() bool { return len(b.engine.list("")) == 0 && len(b.m.List()) == 0 })
	for _, want := range []string{"Pulled Container image", "Created Created container: web", "Started Started container web", "Killing Stopping container web"} {
		if !b.events.has(want) {
			t.Errorf("no event %q in\n%s", want, b.events)
		}
	}
}

// Containers are made while their sandbox starts, and run once it does. When it does not come to that, nothing is
// wrong with them.
func TestContainersAreMadeWhileTheSandboxStarts(t *testing.T) {
	e := newEngine("img:1")
	e.starts = make(chan error)
	b := newBed(t, e, web())
	states := func() string {
		var all []string
		for _, c := range e.list("u") {
			all = append(all, fmt.Sprintf("%s %d %s", cmp.Or(c.Name, "sandbox"), c.Attempt, c.State))
		}
		return strings.Join(all, ", ")
	}
	b.until("the container is made", func() bool { return states() == "sandbox 0 created, web 0 created" })
	e.starts <- errors.New("no such thing")
	b.until("the sandbox is tried again", func() bool {
		return b.events.has("FailedCreatePodSandBox") && strings.HasSuffix(states(), "sandbox 0 created")
	})
	e.starts <- nil
	b.until("all runs", func() bool { return b.client.Ready(t, "ns", "web") })
	if got := states(); got != "sandbox 0 running, web 0 running" {
		t.Error(got)
	}
	if b.events.has("Failed ") {
		t.Errorf("a container is blamed:\n%s", b.events)
	}
}

// TestAdoption: an agent that was killed finds its pods again and touches nothing; what died meanwhile comes back.
func TestAdoption(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound())
	b.until("ready", b.ready("web"))
	before := b.engine.list("")
	b.stop()
	b.run()
	b.until("listed again", func() bool { return len(b.m.List()) == 1 })
	b.until("adopted", func() bool { _, err := b.m.ContainerID("ns", "web", "web", false); return err == nil })
	if after := b.engine.list(""); !slices.Equal(before, after) {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	b.stop()
	for _, c := range before {
		b.engine.end(c.ID, 137)
	}
	b.run()
	b.until("brought back", func() bool {
		s := b.pod("web").Status
		return s.ContainerStatuses[0].RestartCount == 1 && s.ContainerStatuses[0].Ready
	})
	var running int
	for _, c := range b.engine.list("") {
		if c.State == Running {
			running++
		}
	}
	if running != 2 {
		t.Errorf("%d containers run: %+v", running, b.engine.list(""))
	}
}

// TestOrphans: containers of pods that the API does not have are removed, once it has said so.
func TestOrphans(t *testing.T) {
	e := newEngine("img:1")
	orphan := bound(func(p *corev1.Pod) { p.Name, p.UID = "old", "gone" })
	s, err := e.RunSandbox(t.Context(), Sandbox{Pod: orphan})
	if err != nil {
		t.Fatal(err)
	}
	id, err := e.Create(t.Context(), Spec{Pod: orphan, Container: orphan.Spec.Containers[0], SandboxID: s.ID})
	if err != nil || e.Start(t.Context(), id) != nil {
		t.Fatal(err)
	}
	b := newBed(t, e, bound())
	b.until("ready", b.ready("web"))
	b.until("orphans gone", func() bool { return len(e.list("gone")) == 0 })
}

// TestImages: what a pull that fails looks like, and one that works.
func TestImages(t *testing.T) {
	image := func(name string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.Containers[0].Image = name }
	}
	b := newBed(t, newEngine(), bound(image("bad:1")),
		bound(image("good:1"), func(p *corev1.Pod) { p.Name, p.UID = "good", "g" }),
		bound(image("good:2"), func(p *corev1.Pod) {
			p.Name, p.UID, p.Spec.Containers[0].ImagePullPolicy = "never", "n", corev1.PullNever
		}))
	b.until("failed", b.waits("web", errImagePull))
	b.until("pulled", b.ready("good"))
	b.until("refused to pull", b.waits("never", errImageNever))
	b.until("backs off", b.waits("web", imagePullBackOff))
	for _, want := range []string{`Failed Failed to pull image "bad:1": MANIFEST_UNKNOWN`, "Failed Error: ErrImagePull", "BackOff Back-off pulling image",
		`Pulled Successfully pulled image "good:1" in `} {
		if !b.events.has(want) {
			t.Errorf("no event %q", want)
		}
	}
	b.until("logs say why", func() bool {
		_, err := b.m.ContainerID("ns", "web", "web", false)
		return err != nil && err.Error() == `container "web" in pod "web" is waiting to start: trying and failing to pull image`
	})
}

// TestMissingConfig: a pod waits for a ConfigMap and starts as soon as it is there.
func TestMissingConfig(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound(func(p *corev1.Pod) {
		ref := corev1.LocalObjectReference{Name: "settings"}
		p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: ref}}}
	}))
	b.until("waits", b.waits("web", configError))
	_, err := b.client.CoreV1().ConfigMaps("ns").Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: "ns"}, Data: map[string]string{"COLOR": "blue"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.until("ready", b.ready("web"))
	id, _ := b.m.ContainerID("ns", "web", "web", false)
	if !slices.Contains(b.engine.envs[id], "COLOR=blue") {
		t.Errorf("env %v", b.engine.envs[id])
	}
}

// TestFinished: a pod that has run its course says so and keeps its container, but not its sandbox.
func TestFinished(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound(func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }))
	b.until("ready", b.ready("web"))
	id, _ := b.m.ContainerID("ns", "web", "web", false)
	b.engine.end(id, 0)
	b.until("succeeded", b.phase("web", corev1.PodSucceeded))
	b.until("sandbox freed", func() bool { return len(b.engine.list("")) == 1 })
	if again, err := b.m.ContainerID("ns", "web", "web", false); err != nil || again != id {
		t.Errorf("logs are lost: %v", err)
	}
}

// TestRefused: what the agent cannot do is said, and nothing is started.
func TestRefused(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound(func(p *corev1.Pod) { p.Spec.HostUsers = ptr(false) }))
	b.until("refused", b.waits("web", unsupportedReason))
	if s := b.pod("web").Status; s.Reason != unsupportedReason || !strings.Contains(s.Message, "spec.hostUsers: false") {
		t.Errorf("status %s: %s", s.Reason, s.Message)
	}
	if !b.events.has(unsupportedReason) || len(b.engine.list("")) != 0 {
		t.Error("no event, or containers")
	}
}

// TestRuntimeClass: a pod gets the runtime that its class names, and waits while there is no such class or runtime.
func TestRuntimeClass(t *testing.T) {
	of := func(class string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Name, p.UID, p.Spec.RuntimeClassName = class, types.UID(class), &class }
	}
	class := func(name, handler string) *nodev1.RuntimeClass {
		return &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Handler: handler}
	}
	b := newBed(t, newEngine("img:1"), bound(of("plain")), bound(of("strange")), bound(of("none")), class("plain", "runc"), class("strange", "kata"))
	b.until("ready", b.ready("plain"))
	for _, words := range []string{"unknown or invalid runtime name: kata", `looking up the runtime: runtimeclasses.node.k8s.io "none" not found`} {
		b.until("told", func() bool { return b.events.has("FailedCreatePodSandBox Failed to create pod sandbox: " + words) })
	}
}

// TestRestartAll: the end of one container makes all of its pod start again, those too that had ended before it, though
// the pod's policy is to restart none.
func TestRestartAll(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound(func(p *corev1.Pod) {
		p.Spec.RestartPolicy = corev1.RestartPolicyNever
		p.Spec.InitContainers = []corev1.Container{
			{Name: "first", Image: "img:1"},
			{Name: "side", Image: "img:1", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways)},
		}
		p.Spec.Containers[0].RestartPolicyRules = []corev1.ContainerRestartRule{{Action: corev1.ContainerRestartRuleActionRestartAllContainers,
			ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpNotIn, Values: []int32{0}}}}
		p.Spec.Containers[0].RestartPolicy = ptr(corev1.ContainerRestartPolicyNever)
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "short", Image: "img:1"})
	}))
	// ended awaits an attempt at a container and ends it.
	ended := func(name string, attempt, code int) {
		t.Helper()
		var id string
		b.until(fmt.Sprintf("%s runs for the %d. time", name, attempt+1), func() bool {
			list := b.engine.list("")
			i := slices.IndexFunc(list, func(c Container) bool { return c.Name == name && c.Attempt == attempt && c.State == Running })
			if i >= 0 {
				id = list[i].ID
			}
			return i >= 0
		})
		b.engine.end(id, code)
	}
	const rounds = 3
	for round := range rounds {
		ended("first", round, 0)
		ended("short", round, 0)
		b.until("the API knows", func() bool {
			s := b.pod("web").Status.ContainerStatuses
			return len(s) == 2 && s[1].RestartCount == int32(round) && s[1].State.Terminated != nil
		})
		if round < rounds-1 {
			ended("web", round, 42)
		}
	}
	b.until("the API knows of the side", func() bool {
		s := b.pod("web").Status
		return s.InitContainerStatuses[1].RestartCount == rounds-1 && s.ContainerStatuses[0].State.Running != nil
	})
	s := b.pod("web").Status
	if end := s.ContainerStatuses[0].LastTerminationState.Terminated; end == nil || end.ExitCode != 42 {
		t.Errorf("the cause ended with %+v", end)
	}
	if end := s.InitContainerStatuses[1].LastTerminationState.Terminated; end == nil || end.Reason != restartingAll {
		t.Errorf("the other ended with %+v", end)
	}
	if c := statusOf(s.Conditions, corev1.AllContainersRestarting); c != corev1.ConditionFalse {
		t.Errorf("condition %q", c)
	}
	ended("web", rounds-1, 0)
	b.until("succeeded", b.phase("web", corev1.PodSucceeded))
}
