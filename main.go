// Command leme is a cluster for Docker hosts, and the shell that steers it.
//
// Here its parts are joined, and nothing else happens: the shell and its commands, the master, the node
// agent, the registry. docs/ARCHITECTURE.md follows a request through them.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/moby/moby/client"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apiversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"leme/completion"
	"leme/completion/script"
	"leme/completion/source"
	"leme/nodeagent"
	"leme/nodeagent/docker"
	"leme/nodeagent/eviction"
	"leme/nodeagent/imagegc"
	"leme/nodeagent/localpath"
	"leme/nodeagent/network"
	"leme/nodeagent/nodeapi"
	"leme/nodeagent/pod"
	"leme/nodeagent/volume"
	"leme/registry"
	"leme/registry/pull"
	"leme/server"
	"leme/server/audit"
	"leme/server/auth"
	"leme/server/kind"
	"leme/server/scheduler"
	"leme/shell"
	"leme/shell/command"
	"leme/shell/footprint"
	"leme/shell/warmup"
)

// version and commit are set when the program is built.
var (
	version = "0.1.0"
	commit  = ""
)

func main() {
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	os.Exit(shell.Main(context.Background(), os.Args[1:], parts(), streams))
}

// parts are the commands and services whose bodies are not the shell's.
func parts() command.Parts {
	return command.Parts{
		Version:    version,
		Up:         func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdUp(s, runUp) },
		Down:       func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdDown(s, clean) },
		Server:     func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdServer(s, runServer) },
		Agent:      func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdAgent(s, runAgent) },
		Completion: script.NewCmdCompletion,
		Complete:   complete,
		Completer:  completer,
	}
}

// clientConfig finds a cluster as the commands do.
func clientConfig(scope command.Scope) func(kubeconfig, context string) clientcmd.ClientConfig {
	return func(kubeconfig, name string) clientcmd.ClientConfig {
		if name == "" {
			name = scope.Context
		}
		if kubeconfig != "" {
			return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
				&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: name})
		}
		return command.NewClient(context.Background(), command.Scope{Context: name, Namespace: scope.Namespace}).ToRawKubeConfigLoader()
	}
}

// completionWait is how long a Tab in the user's own shell may wait for the server.
const completionWait = 300 * time.Millisecond

// complete answers the scripts of bash, zsh, fish and PowerShell.
func complete(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	sources := source.New(ctx, source.Config{ClientConfig: clientConfig(command.ScopeFromEnv()), Wait: completionWait})
	script.Complete(completion.New(completion.Commands(), sources), args, streams.Out)
	return 0
}

// live is the completion of a session.
type live struct {
	*completion.Engine
	*source.Cluster
}

func completer(ctx context.Context) command.Completer {
	sources := source.New(ctx, source.Config{ClientConfig: clientConfig(command.Scope{}), Follow: true})
	return live{completion.New(completion.Commands(), sources), sources}
}

// heapGrowth is by how many percent the heap grows before garbage is collected. Most of the memory is caches that live
// long: collecting a little more often costs next to nothing and keeps it small.
const heapGrowth = 50

// keepSmall gives back what the process does not use while it rests.
func keepSmall(ctx context.Context) error { return footprint.Keep(ctx, heapGrowth) }

// together runs parts of this process until ctx ends, or one of them fails.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range parts {
		group.Go(func() error { return run(ctx) })
	}
	return group.Wait()
}

// service prepares this process to run a part of a cluster: it logs to standard error, libraries too, and stops on
// SIGTERM and Ctrl-C.
func service(ctx context.Context, o command.LogOptions) (context.Context, context.CancelFunc) {
	logger := slog.New(o.Handler(os.Stderr))
	slog.SetDefault(logger)
	klog.SetSlogLogger(logger)
	warmup.End(heapGrowth)
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

func runServer(ctx context.Context, o command.ServerOptions) error {
	ctx, stop := service(ctx, o.Log)
	defer stop()
	m, err := newMaster(o)
	if err != nil {
		return err
	}
	if err := m.writeNodeKubeconfig(o.LocalNode); err != nil {
		return err
	}
	return together(ctx, keepSmall, m.run)
}

// master is the server with the cluster's registry on it.
type master struct {
	server   *server.Server
	registry *registry.Registry
	through  *pull.Through
}

func newMaster(o command.ServerOptions) (*master, error) {
	m := &master{}
	var err error
	if m.registry, err = newRegistry(o, m); err != nil {
		return nil, err
	}
	if m.through, err = pull.NewThrough(pull.ThroughConfig{
		Dir: filepath.Join(o.Home, "registry-through"), Registries: filepath.Join(o.Home, "registries.yaml"),
	}); err != nil {
		return nil, err
	}
	var scheduling *scheduler.Config
	if o.SchedulerConfig != "" {
		if scheduling, err = scheduler.LoadConfig(o.SchedulerConfig); err != nil {
			return nil, err
		}
	}
	m.server, err = server.New(server.Config{
		Scheduler: scheduling,
		Home:      o.Home, Listen: o.Listen, Advertise: o.Advertise, Version: version,
		PodCIDR: o.PodCIDR, ServiceCIDR: o.ServiceCIDR, NodePortRange: o.NodePortRange,
		NodeEviction:           new(server.NodeEviction(o.NodeEviction)),
		NodeMonitorGracePeriod: o.NodeMonitorGracePeriod, MetricResolution: o.MetricResolution, AutoscalePeriod: o.AutoscalePeriod,
		EtcdEndpoints: o.EtcdEndpoints, EtcdCA: o.EtcdCA, EtcdCert: o.EtcdCert, EtcdKey: o.EtcdKey,
		EncryptSecrets: o.EncryptSecrets, MaxRequests: o.MaxRequests, Audit: audit.Config(o.Audit),
		TracingEndpoint: o.TracingEndpoint, TracingRatePerMillion: o.TracingRate,
		Mounts:     []server.Mount{m.imageMount()},
		Collectors: m.registry.Metrics(),
	})
	return m, err
}

// runUp runs master and node in one process. The node's agent still speaks to the master over the wire.
func runUp(ctx context.Context, o command.UpOptions) error {
	ctx, stop := service(ctx, o.Log)
	defer stop()
	m, err := newMaster(o.Server)
	if err != nil {
		return err
	}
	if err := m.writeNodeKubeconfig(o.Agent); err != nil {
		return err
	}
	return together(ctx, keepSmall, m.run, func(ctx context.Context) error { return runNode(ctx, o.Agent) })
}

func runAgent(ctx context.Context, o command.AgentOptions) error {
	ctx, stop := service(ctx, o.Log)
	defer stop()
	runtime.MemProfileRate = 0 // of an agent nobody can ask what its heap is made of
	return together(ctx, keepSmall, func(ctx context.Context) error { return runNode(ctx, o) })
}

// runNode runs the agent, the API of its node and its image puller, over one engine.
func runNode(ctx context.Context, o command.AgentOptions) error {
	n, err := newNode(o)
	if err != nil {
		return err
	}
	parts := []func(context.Context) error{n.puller.Run, n.api.Run, n.agent.Run}
	if own, ok := n.pods.(*network.Netns); ok {
		parts = append(parts, own.Run)
	}
	return together(ctx, parts...)
}

// node is the parts of a node.
type node struct {
	puller *pull.Puller
	agent  *nodeagent.Agent
	api    *nodeapi.Server
	pods   podNetwork
}

func newNode(o command.AgentOptions) (*node, error) {
	config, err := clientcmd.BuildConfigFromFlags("", nodeKubeconfig(o))
	if err != nil {
		return nil, fmt.Errorf("reading the node's kubeconfig: %w", err)
	}
	name, err := o.Node()
	if err != nil {
		return nil, err
	}
	engine, err := docker.Connect(o.DockerHost)
	if err != nil {
		return nil, err
	}
	puller, err := newPuller(o, config, engine)
	if err != nil {
		return nil, err
	}
	pods, err := newPodNetwork(o, engine)
	if err != nil {
		return nil, err
	}
	limits, err := nodeLimits(o.Limits)
	if err != nil {
		return nil, err
	}
	logs, err := docker.ParseLogFiles(o.Limits.ContainerLogMaxSize, o.Limits.ContainerLogMaxFiles)
	if err != nil {
		return nil, err
	}
	runtime, err := docker.New(docker.Config{
		Host: o.DockerHost, Node: name, Network: pods, LocalName: pull.LocalName, RepoDigest: pull.RepoDigest, Log: logs,
		SeccompDir: filepath.Join(o.Home, "agent", "seccomp"),
	})
	if err != nil {
		return nil, err
	}
	agent, err := nodeagent.New(nodeagent.Config{
		Home: o.Home, Kubeconfig: config, Runtime: runtime, Puller: imagePuller{puller, runtime}, Network: pods,
		NodeName: name, NodeIP: o.NodeIP, Port: o.Port, Labels: o.NodeLabels, Version: version, Limits: limits,
		AllowedUnsafeSysctls: o.AllowedUnsafeSysctls,
		Manifests:            o.Manifests, PreparePod: kind.PrepareStandalone,
	})
	if err != nil {
		return nil, err
	}
	certificate, ca, err := nodeapi.Identity(config)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	api, err := nodeapi.New(nodeapi.Config{
		Address: fmt.Sprintf(":%d", o.Port), Node: name, Home: o.Home, Certificate: certificate, ClientCA: ca, Reviews: nodeapi.NewReviews(client),
		Pods: agent.Pods(), Runtime: runtime, Volumes: localpath.Folder(filepath.Join(o.Home, "agent", "volumes")), Health: agent.Healthy, Metrics: agent.Metrics(),
		Version: apiversion.Info{GitVersion: "v" + version, GitCommit: commit},
	})
	return &node{puller, agent, api, pods}, err
}

// nodeLimits reads how much of the machine pods get.
func nodeLimits(o command.LimitOptions) (l nodeagent.Limits, err error) {
	l = nodeagent.Limits{
		MaxPods: o.MaxPods, PodsPerCore: o.PodsPerCore,
		EvictionMaxGrace: time.Duration(o.EvictionMaxPodGrace) * time.Second, Transition: o.EvictionTransition,
		ImageGC:       imagegc.Policy{High: o.ImageGCHigh, Low: o.ImageGCLow, MinAge: o.ImageMinAge, MaxAge: o.ImageMaxAge},
		ShutdownGrace: o.ShutdownGrace, ShutdownGraceCritical: o.ShutdownGraceCritical,
	}
	if l.KubeReserved, err = nodeagent.ParseResources(o.KubeReserved); err != nil {
		return l, fmt.Errorf("--kube-reserved: %w", err)
	}
	if l.SystemReserved, err = nodeagent.ParseResources(o.SystemReserved); err != nil {
		return l, fmt.Errorf("--system-reserved: %w", err)
	}
	l.Eviction, err = eviction.Parse(o.EvictionHard, o.EvictionSoft, o.EvictionSoftGrace, o.EvictionMinimumReclaim)
	return l, err
}

func newPuller(o command.AgentOptions, config *rest.Config, engine *client.Client) (*pull.Puller, error) {
	tls, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	return pull.New(pull.Config{
		CacheDir: filepath.Join(o.Home, "agent", "images"), Engine: engine, Registries: filepath.Join(o.Home, "registries.yaml"),
		Metrics: prometheus.DefaultRegisterer,
		Cluster: pull.ClusterRegistry{Host: auth.RegistryHost, Addr: address.Host, TLS: tls},
	})
}

// podNetwork is the network of the node's pods.
type podNetwork interface {
	nodeagent.Network
	docker.Network
}

func newPodNetwork(o command.AgentOptions, engine *client.Client) (podNetwork, error) {
	c := networkConfig(o, engine)
	switch o.PodNetwork {
	case "bridge":
		return network.New(c)
	case "netns", "auto":
		return network.NewNetns(c, o.PodNetwork == "netns")
	}
	return nil, fmt.Errorf("pod network %q: it is bridge, netns or auto", o.PodNetwork)
}

// networkConfig says which network of the engine it is. Its bridge is named after it: leme0 for leme.
func networkConfig(o command.AgentOptions, engine *client.Client) network.Config {
	const longest = 14 // of an interface's name, less the digit
	return network.Config{Engine: engine, Name: o.Network, Bridge: o.Network[:min(longest, len(o.Network))] + "0"}
}

// imagePuller joins the registry's puller to what the agent needs of one.
type imagePuller struct {
	*pull.Puller
	runtime *docker.Runtime
}

func (p imagePuller) Pull(ctx context.Context, ref string, secrets []corev1.Secret, progress func(pod.PullProgress)) (pod.Image, error) {
	result, err := p.Puller.Pull(ctx, ref, pullSecrets(secrets), func(now pull.Progress) { progress(pod.PullProgress(now)) })
	if errors.Is(err, pull.ErrNetwork) {
		return pod.Image{}, fmt.Errorf("%w: %w", pod.ErrRegistryUnavailable, err)
	}
	if err != nil {
		return pod.Image{}, docker.InWords(err)
	}
	image, ok, err := p.runtime.Image(ctx, result.ImageID)
	if err == nil && !ok {
		err = fmt.Errorf("the engine no longer has %s", result.ImageID)
	}
	return image, err
}

func (p imagePuller) MayUse(imageID, ref string, secrets []corev1.Secret) bool {
	return p.Puller.MayUse(imageID, ref, pullSecrets(secrets))
}

func pullSecrets(secrets []corev1.Secret) []pull.Secret {
	all := make([]pull.Secret, len(secrets))
	for i, s := range secrets {
		all[i] = pull.Secret{
			Namespace: s.Namespace, Name: s.Name, UID: string(s.UID),
			DockerConfigJSON: s.Data[corev1.DockerConfigJsonKey], DockerCfg: s.Data[corev1.DockerConfigKey],
		}
	}
	return all
}

// clean removes what a node leaves on its engine and host. It says how many containers there were.
func clean(ctx context.Context, o command.DownOptions) (int, error) {
	name, err := o.Agent.Node()
	if err != nil {
		return 0, err
	}
	engine, err := docker.Connect(o.Agent.DockerHost)
	if err != nil {
		return 0, err
	}
	runtime, err := docker.New(docker.Config{Host: o.Agent.DockerHost, Node: name})
	if err != nil {
		return 0, err
	}
	containers, err := runtime.Containers(ctx)
	if err != nil {
		return 0, err
	}
	if err := runtime.RemoveAll(ctx); err != nil {
		return 0, err
	}
	pods, err := network.New(networkConfig(o.Agent, engine))
	if err != nil {
		return 0, err
	}
	return len(containers), errors.Join(pods.Remove(ctx), volume.Pod{Dir: filepath.Join(o.Home, "agent", "pods")}.TearDown())
}

func (m *master) run(ctx context.Context) error {
	return together(ctx, m.server.Run, m.registry.Run, m.through.Run)
}

// writeNodeKubeconfig lets the agent on this machine in.
func (m *master) writeNodeKubeconfig(o command.AgentOptions) error {
	name, err := o.Node()
	if err != nil {
		return err
	}
	address, err := url.Parse(m.server.URL())
	if err != nil {
		return err
	}
	hosts := []string{name, "127.0.0.1", address.Hostname()}
	if o.NodeIP != "" {
		hosts = append(hosts, o.NodeIP)
	}
	return m.server.NodeKubeconfig(nodeKubeconfig(o), name, hosts)
}

func nodeKubeconfig(o command.AgentOptions) string {
	if o.Kubeconfig != "" {
		return o.Kubeconfig
	}
	return filepath.Join(o.Home, "agent", "kubeconfig")
}
