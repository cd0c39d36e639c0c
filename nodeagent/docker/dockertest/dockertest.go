// Package dockertest runs the container runtime on the machine's real Docker Engine for tests: with a network, labels
// and an image of its own, all removed when the test ends. Tests are skipped where there is no engine.
package dockertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/docker"
	"leme/nodeagent/docker/scratch"
	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// Node is a node of the test's own on the real engine.
type Node struct {
	*docker.Runtime
	Engine  *client.Client
	Network Network
	Image   pod.Image // the test program; its entry point is /app

	config   docker.Config
	settings network.Config
	kind     Kind
}

// Network is the pod network of a test's node.
type Network interface {
	docker.Network
	Ensure(ctx context.Context, podCIDR netip.Prefix) error
	Remove(ctx context.Context) error
	Gateway() netip.Addr
}

// Kind says who connects pods to the network.
type Kind string

// The kinds of pod networks.
const (
	ByEngine Kind = "bridge" // the engine does
	ByAgent  Kind = "netns"  // the agent does, in namespaces that sandboxes make
)

// Default is the kind of network that nodes have which do not ask for one: that of the environment, or the agent's
// where it can connect pods.
func Default(t testing.TB) Kind {
	t.Helper()
	if k := Kind(os.Getenv("LEME_TEST_POD_NETWORK")); k != "" {
		return k
	}
	if _, err := network.NewNetns(network.Config{Engine: Engine(t)}, true); err != nil {
		return ByEngine
	}
	return ByAgent
}

// Each runs a test on both kinds of networks, side by side.
func Each(t *testing.T, test func(t *testing.T, n *Node)) {
	t.Helper()
	for _, kind := range []Kind{ByEngine, ByAgent} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, NewOn(t, kind))
		})
	}
}

// New makes a node with the default kind of network, whose pods have addresses in a range that no other test has.
func New(t testing.TB) *Node {
	t.Helper()
	return NewOn(t, Default(t))
}

// NewOn makes a node with one kind of network.
func NewOn(t testing.TB, kind Kind) *Node {
	t.Helper()
	engine := Engine(t)
	id := ID()
	n := &Node{Engine: engine, settings: network.Config{Engine: engine, Name: "lemetest-" + id, Bridge: "lt" + id, Labels: Labels()}, kind: kind}
	n.Network = n.OtherNetwork(t)
	ensureFreeRange(t, n.Network)
	n.config = docker.Config{Node: "test-" + id, Network: n.Network, Labels: Labels()}
	n.Restart(t)
	t.Cleanup(func() { n.clean(t) })
	n.Image = n.loadApp(t)
	return n
}

// OtherNetwork gives the node's network as a new agent has it, which knows nothing yet.
func (n *Node) OtherNetwork(t testing.TB) Network {
	t.Helper()
	if n.kind == ByEngine {
		b, err := network.New(n.settings)
		must(t, err)
		return b
	}
	b, err := network.NewNetns(n.settings, true)
	if err != nil {
		t.Skip(err)
	}
	return b
}

// Restart gives the node a new runtime, which knows nothing, as after the agent was killed.
func (n *Node) Restart(t testing.TB) {
	t.Helper()
	var err error
	n.Runtime, err = docker.New(n.config)
	must(t, err)
}

// UseNetwork gives the node a new runtime with a network, as after the agent was killed.
func (n *Node) UseNetwork(t testing.TB, network Network) {
	t.Helper()
	n.Network, n.config.Network = network, network
	n.Restart(t)
}

// Engine is a client of the machine's engine; without one the test is skipped.
func Engine(t testing.TB) *client.Client {
	t.Helper()
	engine, err := docker.Connect("")
	must(t, err)
	t.Cleanup(func() { engine.Close() })
	if _, err := engine.Ping(t.Context(), client.PingOptions{}); err != nil {
		t.Skipf("there is no container engine: %v", err)
	}
	return engine
}

// ID is short, and of this test alone.
func ID() string {
	b := make([]byte, 4)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Labels mark everything that a test makes on the engine.
func Labels() map[string]string { return map[string]string{"leme.test": "docker"} }

// ensureFreeRange makes the network with a range that nobody on this machine uses: tests run side by side.
func ensureFreeRange(t testing.TB, b Network) {
	t.Helper()
	var err error
	for range 20 {
		r := make([]byte, 2)
		rand.Read(r) // never fails
		cidr := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 128 + r[0]%100, r[1], 0}), 24)
		if err = b.Ensure(t.Context(), cidr); err == nil {
			return
		}
	}
	t.Fatalf("no free range for the test's network: %v", err)
}

func (n *Node) clean(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.RemoveAll(ctx); err != nil {
		t.Errorf("cleaning up: %v", err)
	}
	if err := n.Network.Remove(ctx); err != nil {
		t.Errorf("cleaning up: %v", err)
	}
	if err := n.removeApp(ctx, t); err != nil {
		t.Errorf("cleaning up: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Errorf("cleaning up: %v", err)
	}
}

// buildApp compiles the test program once for a run of tests.
var buildApp = sync.OnceValues(func() (v1.Image, error) {
	directory, err := os.MkdirTemp("", "dockertest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	binary := filepath.Join(directory, "app")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", binary, "leme/nodeagent/docker/dockertest/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the test program: %w: %s", err, output)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	return scratch.Image(runtime.GOARCH,
		v1.Config{Entrypoint: []string{"/app"}, Cmd: []string{"stay"}, Env: []string{"PATH=/"}, Labels: Labels()},
		scratch.File{Path: "app", Mode: 0o755, Content: program},
		scratch.File{Path: "notes.txt", Mode: 0o644, Content: []byte("not a program\n")},
		scratch.File{Path: "tmp/", Mode: 0o1777},
		scratch.File{Path: "etc/passwd", Mode: 0o644, Content: []byte("root:x:0:0::/:\nwebber:x:1000:1001::/:\n")},
		scratch.File{Path: "etc/group", Mode: 0o644, Content: []byte("root:x:0:\nwebber:x:1001:\nmedia:x:50:webber\n")},
	)
})

// loadApp makes the test program's image present, under a name of this node's own: tests run side by side, and the
// last of them that removes its name removes the image.
func (n *Node) loadApp(t testing.TB) pod.Image {
	t.Helper()
	defer exclusive(t)()
	image, err := buildApp()
	must(t, err)
	config, err := image.ConfigName()
	must(t, err)
	_, err = n.Engine.ImageTag(t.Context(), client.ImageTagOptions{Source: config.String(), Target: n.imageName()})
	if err != nil {
		must(t, n.LoadImage(t.Context(), n.imageName(), image))
	}
	there, _, err := n.Runtime.Image(t.Context(), n.imageName())
	must(t, err)
	return there
}

func (n *Node) removeApp(ctx context.Context, t testing.TB) error {
	defer exclusive(t)()
	return n.RemoveImage(ctx, n.imageName())
}

// exclusive keeps others from naming images until it is released, those in other processes too: an engine that removes
// an image with its last name does not see the name that it is given meanwhile.
func exclusive(t testing.TB) (release func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "leme-dockertest.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	must(t, err)
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	return func() { f.Close() }
}

func (n *Node) imageName() string { return "leme/dockertest:" + n.config.Node }

// Pod makes a pod, with a UID of its own, of one container "app" that runs the test program with the arguments.
func (n *Node) Pod(name string, args ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(name + "-" + ID())},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: n.Image.ID, Args: args}}},
	}
}

// Sandbox runs a pod's sandbox.
func (n *Node) Sandbox(t testing.TB, p *corev1.Pod) pod.Container {
	t.Helper()
	c, err := n.RunSandbox(t.Context(), pod.Sandbox{Pod: p, Hostname: p.Name})
	must(t, err)
	return c
}

// Spec is what is asked of the engine for a pod's first container.
func (n *Node) Spec(p *corev1.Pod, sandbox string) pod.Spec {
	c := p.Spec.Containers[0]
	return pod.Spec{
		Pod: p, Container: c, SandboxID: sandbox, Hash: "hash", ImageID: n.Image.ID,
		Command: c.Command, Args: c.Args, Share: pod.ShareOf(c.Resources),
	}
}

// Run starts a pod's sandbox and its first container, and gives the latter's ID.
func (n *Node) Run(t testing.TB, p *corev1.Pod) string {
	t.Helper()
	id, err := n.Create(t.Context(), n.Spec(p, n.Sandbox(t, p).ID))
	must(t, err)
	must(t, n.Start(t.Context(), id))
	return id
}

// Find gives a container of the node as Containers has it; ok is false when it is not there.
func (n *Node) Find(t testing.TB, id string) (c pod.Container, ok bool) {
	t.Helper()
	all, err := n.Containers(t.Context())
	must(t, err)
	for _, c := range all {
		if c.ID == id {
			return c, true
		}
	}
	return pod.Container{}, false
}

// WaitExit waits until a container has ended, by the engine's word.
func (n *Node) WaitExit(t testing.TB, id string) pod.Container {
	t.Helper()
	wait := n.Engine.ContainerWait(t.Context(), id, client.ContainerWaitOptions{})
	select {
	case <-wait.Result:
	case err := <-wait.Error:
		t.Fatalf("waiting for container %s: %v", id, err)
	}
	c, ok := n.Find(t, id)
	if !ok {
		t.Fatalf("container %s is gone", id)
	}
	return c
}

// Via gives another runtime of the node, which reaches the engine at host.
func (n *Node) Via(t testing.TB, host string) *docker.Runtime {
	t.Helper()
	config := n.config
	config.Host = host
	r, err := docker.New(config)
	must(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
