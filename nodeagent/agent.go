// Package nodeagent makes a machine with a container engine a node of the cluster: it registers the node, keeps its
// lease and status, and runs the pods that are bound to it (package pod).
//
// It sees the server only over the wire. While the server is away, or not there yet, pods run on and the agent tries
// again; while the engine is away, the node says that it is not ready.
//
//	agent, err := nodeagent.New(nodeagent.Config{Home: home, Kubeconfig: config, Runtime: docker, Puller: puller, Network: net})
//	err = agent.Run(ctx)
package nodeagent

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"leme/nodeagent/downward"
	"leme/nodeagent/eviction"
	"leme/nodeagent/imagegc"
	"leme/nodeagent/imagevolume"
	"leme/nodeagent/pod"
	"leme/nodeagent/shutdown"
)

// Agent is one node's agent.
type Agent struct {
	config   Config
	client   kubernetes.Interface
	machine  machine
	events   record.EventBroadcaster
	voice    record.EventRecorder
	pods     *pod.Manager
	node     *node
	scales   *scales
	pressure *eviction.Manager
	images   *imagegc.Collector
	unpacked *imagevolume.Store
	shutdown *shutdown.Manager
	network  chan struct{} // closed once there is the pod network

	networkOnce sync.Once
	log         *slog.Logger
}

// New prepares an agent; nothing runs, and nobody is asked, before Run.
func New(c Config) (*Agent, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	rc := rest.CopyConfig(c.Kubeconfig)
	rc.UserAgent = "leme-agent/" + c.Version
	rc.QPS, rc.Burst = 50, 100
	client, err := kubernetes.NewForConfig(rc)
	if err != nil {
		return nil, fmt.Errorf("making a client of the server: %w", err)
	}
	return newAgent(c, client)
}

func newAgent(c Config, client kubernetes.Interface) (*Agent, error) {
	m, err := inspectMachine(&c)
	if err != nil {
		return nil, fmt.Errorf("looking at the machine: %w", err)
	}
	dns, err := pod.HostDNS()
	if err != nil {
		return nil, err
	}
	sysctls, err := pod.AllowedSysctls(m.kernel, c.AllowedUnsafeSysctls)
	if err != nil {
		return nil, err
	}
	a := &Agent{config: c, client: client, machine: m, network: make(chan struct{}), log: c.Logger, events: record.NewBroadcaster()}
	a.voice = a.events.NewRecorder(eventScheme, corev1.EventSource{Component: "leme-agent", Host: c.NodeName})
	a.node = newNode(a)
	static, err := a.staticPods()
	if err != nil {
		return nil, err
	}
	if a.unpacked, err = imagevolume.Open(imagevolume.Config{
		Dir: filepath.Join(c.Home, "agent", "images", "unpacked"), Pods: a.podsDir(), Engine: c.Runtime, Logger: c.Logger,
	}); err != nil {
		return nil, err
	}
	a.pods = pod.NewManager(pod.Config{
		Client: client, Runtime: c.Runtime, Puller: c.Puller, Events: a.voice, ImageVolumes: a.unpacked,
		Fields: downward.Resolver{Allocatable: m.allocatable},
		Dir:    a.podsDir(), NodeName: c.NodeName, Hostname: m.hostname, NodeIP: c.NodeIP,
		Static: static, Node: func() *corev1.Node { object, _ := a.node.current(); return object }, Network: a.network,
		Capacity: m.capacity(), Allocatable: m.allocatable(), Gate: a.gate, EngineTurned: a.node.wake, Sysctls: sysctls, DNS: dns, APIServer: apiServer(c.Kubeconfig), Logger: c.Logger,
	})
	a.lookAfterItself()
	return a, nil
}

// lookAfterItself makes what keeps the node in working order: who evicts pods, who removes images,
// and who ends pods before the machine goes down.
func (a *Agent) lookAfterItself() {
	c := &a.config
	a.scales = &scales{config: c, meter: meter{c.Runtime, a.podsDir()}, active: a.pods.Active}
	a.images = imagegc.New(imagegc.Config{
		Policy: c.Limits.ImageGC, Engine: c.Runtime, Wanted: a.wantedImages, Disk: a.scales.imageDisk, Cache: a.freeCaches,
		Events: a.voice, Node: a.reference(), Logger: a.log,
	})
	a.pressure = eviction.New(eviction.Config{
		Thresholds: c.Limits.thresholds(), MaxPodGrace: c.Limits.EvictionMaxGrace, Transition: c.Limits.Transition, Every: c.Watch,
		Machine: a.scales, Meter: meter{c.Runtime, a.podsDir()}, Pods: a.pods, Reclaimer: reclaimer{a},
		Events: a.voice, Node: a.reference(), Changed: a.node.wake, Logger: a.log,
	})
	a.shutdown = shutdown.New(shutdown.Config{
		Grace: c.Limits.ShutdownGrace, Critical: c.Limits.ShutdownGraceCritical, Pods: a.pods,
		Events: a.voice, Node: a.reference(), Changed: a.node.wake, Logger: a.log,
	})
}

func (a *Agent) podsDir() string { return filepath.Join(a.config.Home, "agent", "pods") }

// apiServer is where this node reaches the API, and its pods too.
func apiServer(c *rest.Config) string {
	u, _, err := rest.DefaultServerUrlFor(c)
	if err != nil {
		return ""
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return u.Host
}

// Pods is what the node's own API tells of: the pods that are bound here, and their containers.
func (a *Agent) Pods() *pod.Manager { return a.pods }

// Healthy says what keeps the node from running pods; nil when nothing does.
func (a *Agent) Healthy() error { return a.node.healthy() }

// Run is the agent's life, until the context ends or a part fails; containers run on after it.
//
//  1. events go to the server
//  2. the node is registered, watched, and its status kept up to date
//  3. its lease is renewed, so that the server knows it is alive
//  4. the pod network is made once the server has given the node a range
//  5. the node's pods run; those with addresses of their own once there is the pod network
//  6. the machine is watched, and pods are evicted when it runs short
//  7. images that nobody uses are removed when their disk is nearly full, and files of images that no volume shows
//  8. pods end before the machine goes down
func (a *Agent) Run(ctx context.Context) error {
	a.events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: a.client.CoreV1().Events("")})
	defer a.events.Shutdown()
	a.tell(corev1.EventTypeNormal, "Starting", "Starting the node agent.")
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { a.node.watch(ctx); return nil })
	g.Go(func() error { a.node.keep(ctx); return nil })
	g.Go(func() error { a.keepLease(ctx); return nil })
	g.Go(func() error { a.makeNetwork(ctx); return nil })
	g.Go(func() error { return a.pods.Run(ctx) })
	g.Go(func() error { return a.pressure.Run(ctx) })
	g.Go(func() error { return a.images.Run(ctx) })
	g.Go(func() error { return a.unpacked.Run(ctx) })
	g.Go(func() error { return a.shutdown.Run(ctx) })
	return g.Wait()
}

// reference names the node in events.
func (a *Agent) reference() *corev1.ObjectReference {
	return &corev1.ObjectReference{Kind: "Node", APIVersion: "v1", Name: a.config.NodeName, UID: types.UID(a.config.NodeName)}
}

// tell makes an event about the node.
func (a *Agent) tell(kind, reason, message string) {
	a.voice.Event(a.reference(), kind, reason, message)
}
