package nodeagent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"leme/nodeagent/disk"
	"leme/nodeagent/imagegc"
	"leme/nodeagent/imagevolume"
	"leme/nodeagent/pod"
)

// Network is the pod network of the node.
type Network interface {
	// Ensure makes the network with the range that the server gave this node. Making it again is harmless.
	Ensure(ctx context.Context, podCIDR netip.Prefix) error
}

// Engine is what the agent needs of a container engine. nodeagent/docker implements it.
type Engine interface {
	pod.Runtime
	imagegc.Engine
	imagevolume.Engine
	// Stats tells what a running container consumes.
	Stats(ctx context.Context, id string) (pod.Stats, error)
	// Stored tells what a container has written into its own file system and what its log takes; when ctx ends
	// meanwhile, as much as was found.
	Stored(ctx context.Context, id string) (layer, log disk.Usage, err error)
	// StorageRoot is the directory whose disk holds images and what containers write; empty when it is another machine's.
	StorageRoot(ctx context.Context) (string, error)
}

// Config is what an agent needs.
type Config struct {
	Home       string // $LEME_HOME; the agent keeps its files under Home/agent
	Kubeconfig *rest.Config
	Runtime    Engine
	Puller     pod.Puller
	Network    Network

	NodeName string            // default: the host's name in lower case
	NodeIP   string            // default: the address that the host speaks to others from
	Port     int               // of the node's own API; default 10250
	Labels   map[string]string // of the node, beside those of every node
	// AllowedUnsafeSysctls are kernel parameters that pods may set beside the safe ones; each may end in an asterisk.
	AllowedUnsafeSysctls []string
	Version              string        // Leme's own, "0.1.0"
	Limits               Limits        // of what pods get
	Host                 fs.FS         // the host's root directory, for what the kernel tells; default: this process' own
	Watch                time.Duration // how often the machine is looked at; default 10 s
	Logger               *slog.Logger  // default: slog.Default()

	// Manifests is a folder of pods that run here whether there is a server or not, or a file with one; empty: there are
	// none. PreparePod sets what such a pod leaves out, and says what is wrong with it, as the server would.
	Manifests  string
	PreparePod func(*corev1.Pod) error
}

var eventScheme = scheme.Scheme

func (c *Config) validate() error {
	switch {
	case c.Home == "":
		return errors.New("agent: no home directory is given")
	case c.Kubeconfig == nil:
		return errors.New("agent: no kubeconfig is given")
	case c.Runtime == nil || c.Puller == nil || c.Network == nil:
		return errors.New("agent: a runtime, a puller and a network are needed")
	case c.Manifests != "" && c.PreparePod == nil:
		return errors.New("agent: who prepares the pods of manifests is needed")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Host == nil {
		c.Host = os.DirFS("/")
	}
	if err := c.Limits.validate(); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	if c.Port == 0 {
		c.Port = 10250
	}
	if c.NodeName == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("agent: finding the node's name: %w", err)
		}
		c.NodeName = strings.ToLower(name)
	}
	if problems := validation.IsDNS1123Subdomain(c.NodeName); len(problems) > 0 {
		return fmt.Errorf("agent: node name %q: %s", c.NodeName, strings.Join(problems, "; "))
	}
	if c.NodeIP == "" {
		c.NodeIP = hostAddress()
	}
	if _, err := netip.ParseAddr(c.NodeIP); err != nil {
		return fmt.Errorf("agent: node IP: %w", err)
	}
	for key, value := range c.Labels {
		if problems := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...); len(problems) > 0 {
			return fmt.Errorf("agent: label %s=%s: %s", key, value, strings.Join(problems, "; "))
		}
	}
	return nil
}

// hostAddress is the address that packets to the world would leave from; on a host with no way out its first global
// one, else the loopback's.
func hostAddress() string {
	if conn, err := net.Dial("udp", "192.0.2.1:9"); err == nil { // sends nothing
		defer conn.Close()
		if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			return a.IP.String()
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err == nil {
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
				return n.IP.String()
			}
		}
	}
	return "127.0.0.1"
}
