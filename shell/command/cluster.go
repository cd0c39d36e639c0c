package command

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// ServerOptions is what `leme server` and `leme up` are told.
type ServerOptions struct {
	Home                      string
	Listen                    string // address:port
	Advertise                 string // address in kubeconfigs and the certificate
	EtcdEndpoints             []string
	EtcdCA, EtcdCert, EtcdKey string
	EncryptSecrets            bool
	MaxRequests               int    // served at once
	SchedulerConfig           string // a KubeSchedulerConfiguration's file
	Audit                     AuditOptions
	Log                       LogOptions
	TracingEndpoint           string
	TracingRate               int // requests in a million
	PodCIDR                   string
	NodeMonitorGracePeriod    time.Duration
	NodeEviction              NodeEvictionOptions
	MetricResolution          time.Duration
	AutoscalePeriod           time.Duration
	ServiceCIDR               string
	NodePortRange             string
	Registry                  RegistryOptions
	LocalNode                 AgentOptions // whose kubeconfig the server writes: the node on this machine
}

func (o *ServerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Listen, "listen", ":6443", "Address and port that the API listens on.")
	flags.StringVar(&o.Advertise, "advertise", "", "Address by which others reach this server (default: the host's first global address).")
	flags.StringSliceVar(&o.EtcdEndpoints, "etcd-endpoints", nil, "Use an existing etcd at these URLs instead of the embedded one.")
	flags.StringVar(&o.EtcdCA, "etcd-cafile", "", "CA certificate of the existing etcd.")
	flags.StringVar(&o.EtcdCert, "etcd-certfile", "", "Client certificate for the existing etcd.")
	flags.StringVar(&o.EtcdKey, "etcd-keyfile", "", "Key of the client certificate.")
	flags.BoolVar(&o.EncryptSecrets, "encrypt-secrets", false, "Keep Secrets encrypted in etcd, with the keys in pki/secrets.keys.")
	flags.IntVar(&o.MaxRequests, "max-requests-inflight", 600, "Requests that are served at once; others wait, the system's own excepted.")
	flags.StringVar(&o.SchedulerConfig, "scheduler-config", "", "KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) that says which schedulers there are and how they choose.")
	o.Audit.addFlags(flags)
	flags.StringVar(&o.TracingEndpoint, "tracing-endpoint", "", "Send traces to this OpenTelemetry collector (OTLP over gRPC): HOST:PORT, in plain text, or an https:// URL.")
	flags.IntVar(&o.TracingRate, "tracing-sampling-rate-per-million", 1_000_000, "How many requests in a million are traced, beside those whose caller's are.")
	flags.StringVar(&o.PodCIDR, "pod-cidr", "10.42.0.0/16", "Range of pod addresses; each node gets a /24 of it.")
	flags.DurationVar(&o.NodeMonitorGracePeriod, "node-monitor-grace-period", 40*time.Second, "How long a node may be silent before it counts as lost; agents are heard every 10s.")
	o.NodeEviction.addFlags(flags)
	flags.DurationVar(&o.MetricResolution, "metric-resolution", 15*time.Second, "How often agents are asked what their nodes and pods use, for top and autoscalers.")
	flags.DurationVar(&o.AutoscalePeriod, "horizontal-pod-autoscaler-sync-period", 15*time.Second, "How often each autoscaler decides how many pods there should be.")
	flags.StringVar(&o.ServiceCIDR, "service-cidr", "10.96.0.0/12", "Range of the addresses of services that a new cluster starts with.")
	o.Registry.addFlags(flags)
	flags.StringVar(&o.NodePortRange, "service-node-port-range", "30000-32767", "Ports of nodes that services can have.")
}

// NodeEvictionOptions bound how fast pods are driven from nodes that are lost.
type NodeEvictionOptions struct {
	Rate          float64       // nodes a second in each zone
	SecondaryRate float64       // in a large zone of which much is lost
	LargeCluster  int           // zones of more nodes are large
	UnhealthyZone float64       // what part of a zone is much
	StartupGrace  time.Duration // for nodes that have told nothing yet
}

func (o *NodeEvictionOptions) addFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&o.StartupGrace, "node-startup-grace-period", time.Minute, "How long a new node may take to tell how it is before it counts as lost.")
	flags.Float64Var(&o.Rate, "node-eviction-rate", 0.1, "How many lost nodes a second have their pods driven away, in each zone.")
	flags.Float64Var(&o.SecondaryRate, "secondary-node-eviction-rate", 0.01, "How many have, in a large zone of which much is lost.")
	flags.IntVar(&o.LargeCluster, "large-cluster-size-threshold", 50, "Zones of more nodes are large; in others, of which much is lost, no pods are driven away.")
	flags.Float64Var(&o.UnhealthyZone, "unhealthy-zone-threshold", 0.55, "What part of a zone's nodes, at least 3, must be lost for it to be much.")
}

// AgentOptions is what `leme agent` and `leme up` are told.
type AgentOptions struct {
	Home       string
	Kubeconfig string // the node's own; default $LEME_HOME/agent/kubeconfig
	NodeName   string // default: the host's name
	NodeIP     string // default: the address that reaches the server
	Port       int    // of the agent's API
	DockerHost string
	Network    string // of the engine, for pods
	PodNetwork string // who connects pods to it: bridge, netns or auto
	NodeLabels map[string]string
	Manifests  string // of static pods
	// AllowedUnsafeSysctls are kernel parameters that pods may set beside those that are safe on any node.
	AllowedUnsafeSysctls []string
	Limits               LimitOptions
	Log                  LogOptions
}

func (o *AgentOptions) addFlags(flags *pflag.FlagSet) {
	o.addNodeFlags(flags)
	flags.StringVar(&o.NodeIP, "node-ip", "", "Address of this node (default: the one that reaches the server).")
	flags.IntVar(&o.Port, "node-port", 10250, "Port of the node's own API, which the server calls for logs and exec.")
	flags.StringVar(&o.PodNetwork, "pod-network", "auto", "Who connects pods to the network: the engine (bridge), the agent (netns: pods start faster; needs root and a local engine), or the agent where it can (auto).")
	flags.StringToStringVar(&o.NodeLabels, "node-labels", nil, "Labels of this node, key=value.")
	flags.StringSliceVar(&o.AllowedUnsafeSysctls, "allowed-unsafe-sysctls", nil, "Kernel parameters that pods may set beside the safe ones, each a name or the beginning of names with an asterisk (kernel.msg*,net.core.somaxconn).")
	flags.StringVar(&o.Manifests, "pod-manifest-path", "", "Folder with manifests of static pods, or one: they run on this node whether there is a server or not.")
	o.Limits.addFlags(flags)
}

// addNodeFlags adds what tells one node's containers from another's.
func (o *AgentOptions) addNodeFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.NodeName, "node-name", "", "Name of this node (default: the host's name).")
	flags.StringVar(&o.DockerHost, "docker-host", "", "Docker Engine to use (default: $DOCKER_HOST, then the local socket).")
	flags.StringVar(&o.Network, "network", "leme", "Name of the Docker network that pods join.")
}

// Node is the node's name: as given, or the host's. A name that a node cannot have is an error.
func (o *AgentOptions) Node() (string, error) {
	name := o.NodeName
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return "", fmt.Errorf("finding the node's name: %w", err)
		}
		name = strings.ToLower(host)
	}
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
		return "", fmt.Errorf("node name %q: %s", name, strings.Join(problems, "; "))
	}
	return name, nil
}

// NewCmdServer is `leme server`: the master alone.
func NewCmdServer(streams genericiooptions.IOStreams, run func(context.Context, ServerOptions) error) *cobra.Command {
	o := ServerOptions{Home: Home(), LocalNode: AgentOptions{Home: Home()}}
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run the master: API, controllers and scheduler over etcd",
		Long: `Run the master in the foreground: the Kubernetes API over etcd, the controllers and the scheduler.

Its data is in $LEME_HOME. It writes an admin kubeconfig there, and one for an agent on this machine.`,
		Example: `  # A master with embedded etcd
  leme server

  # A master over an existing etcd
  leme server --etcd-endpoints https://10.0.0.5:2379 --etcd-cafile ca.crt --etcd-certfile leme.crt --etcd-keyfile leme.key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			release, err := Lock(o.Home, RoleServer)
			if err != nil {
				return err
			}
			defer release()
			return run(cmd.Context(), o)
		},
	}
	o.addFlags(cmd.Flags())
	o.Log.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&o.LocalNode.NodeName, "node-name", "", "Name of the node on this machine, for its kubeconfig (default: the host's name).")
	cmd.Flags().StringVar(&o.LocalNode.NodeIP, "node-ip", "", "Address of the node on this machine, for its certificate.")
	return cmd
}

// NewCmdAgent is `leme agent`: one node alone.
func NewCmdAgent(streams genericiooptions.IOStreams, run func(context.Context, AgentOptions) error) *cobra.Command {
	o := AgentOptions{Home: Home()}
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Run a node: its pods as containers of the local Docker Engine",
		Long: `Run a node's agent in the foreground: it registers the node, watches for pods that are assigned to it
and runs them on the local Docker Engine. Stopping it, or killing it, disturbs no container.`,
		Example: `  # The node of a server on this machine
  leme agent

  # With a kubeconfig that the server wrote for this node
  leme agent --agent-kubeconfig node.kubeconfig`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			release, err := Lock(o.Home, RoleAgent)
			if err != nil {
				return err
			}
			defer release()
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Kubeconfig, "agent-kubeconfig", "", "The node's own kubeconfig (default: $LEME_HOME/agent/kubeconfig, which a server on this machine writes).")
	o.addFlags(cmd.Flags())
	o.Log.addFlags(cmd.Flags())
	return cmd
}
