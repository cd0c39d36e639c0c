package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/moby/moby/client"

	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// Network gives pods their addresses on one network of the engine. nodeagent/network implements it.
type Network interface {
	// Name is the engine's name of the network.
	Name() string
	// Allocate reserves an address that no other pod has; it fails while the node has no pod range.
	Allocate(ctx context.Context) (netip.Addr, error)
	// Release gives an address back, once its sandbox is gone.
	Release(netip.Addr)
}

// Connector is a Network that connects sandboxes which make network namespaces of their own.
type Connector interface {
	Network
	// Connects says whether new sandboxes are to make their own namespaces; it stays as it is once there are addresses.
	Connects() bool
	// Connect connects the namespace of a sandbox's process; doing it again is harmless. It fails with network.ErrGone
	// when the process has ended, and with network.ErrAddressTaken when somebody else has the address.
	Connect(ctx context.Context, e network.Endpoint, sandbox string, pid int) error
}

// Config says which engine to use and how containers are made on it.
type Config struct {
	Host    string  // unix:///var/run/docker.sock; empty takes DOCKER_HOST, then the default socket
	Node    string  // the node's name: only containers that carry it are ours; default: the host's name in lower case
	Network Network // nil runs only pods with hostNetwork
	// LocalName is the name that the puller gives an image in the engine; nil when it keeps the names that pods use.
	LocalName func(ref string) (string, error)
	// RepoDigest undoes LocalName: repository@sha256:… for a name that the puller made of a digest, else empty. Nil
	// knows no such names.
	RepoDigest func(localName string) string
	Labels     map[string]string // added to every container
	Log        LogFiles          // default 10m and 5 files, as the kubelet's
	SeccompDir string            // where localhostProfile names are looked up; default /var/lib/leme/seccomp
	Parallel   int               // containers created or started at once; default twice the processors
	Logger     *slog.Logger
}

func (c *Config) complete() error {
	if c.Node == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("finding the node's name: %w", err)
		}
		c.Node = strings.ToLower(name)
	}
	if c.Log.MaxSize == "" {
		c.Log.MaxSize = "10m"
	}
	if c.Log.MaxFiles == 0 {
		c.Log.MaxFiles = 5
	}
	if c.SeccompDir == "" {
		c.SeccompDir = "/var/lib/leme/seccomp"
	}
	if c.Parallel == 0 {
		c.Parallel = 2 * runtime.NumCPU()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Log.MaxFiles < 1 || c.Parallel < 1 {
		return errors.New("docker: log files and parallel must be positive")
	}
	return nil
}

// Runtime runs containers on one engine. It is safe for concurrent use.
type Runtime struct {
	Config
	engine *client.Client
	slots  chan struct{} // one token for each create or start under way

	sandboxImage sandboxImage
	oom          oomScores
	addresses    addresses
	connections  connections
	attachments  attachments
	expected     expected
	version      engineVersion
	accounts     accounts

	mu         sync.Mutex
	inspected  map[string]pod.Container // by ID; what inspecting gave, forgotten at each event of the container
	firstWords map[string]*firstWords   // by ID; of containers that wait for their one session
}

var _ pod.Runtime = (*Runtime)(nil)

// New makes a runtime. It does not speak to the engine yet: that begins with the first call, and again after the
// engine was away.
func New(c Config) (*Runtime, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	engine, err := Connect(c.Host)
	if err != nil {
		return nil, err
	}
	return &Runtime{
		Config:      c,
		engine:      engine,
		slots:       make(chan struct{}, c.Parallel),
		inspected:   map[string]pod.Container{},
		firstWords:  map[string]*firstWords{},
		addresses:   addresses{of: map[string]netip.Addr{}, held: map[netip.Addr]bool{}},
		connections: connections{of: map[string]int{}},
		attachments: newAttachments(),
	}, nil
}

// Connect makes a client of the engine at host, or of the one that the environment names when host is empty.
// The API version is agreed on with the first call.
func Connect(host string) (*client.Client, error) {
	options := []client.Opt{client.FromEnv}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	engine, err := client.New(options...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the container engine: %w", err)
	}
	return engine, nil
}

// Close lets the connections to the engine go.
func (r *Runtime) Close() error { return r.engine.Close() }

// Negotiate agrees on the API version again, as is needed when the engine came back, perhaps as another version.
func (r *Runtime) Negotiate(ctx context.Context) error {
	_, err := r.engine.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true, ForceNegotiate: true})
	if err != nil {
		return fmt.Errorf("reaching the container engine: %w", err)
	}
	return nil
}

// acquire takes one of the places for creating or starting; release gives it back. An engine's rate does not grow
// with more callers than a few, while every other call waits behind them.
func (r *Runtime) acquire(ctx context.Context) (release func(), err error) {
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
