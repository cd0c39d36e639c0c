package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"leme/server/audit"
	"leme/server/controller"
	"leme/server/resource"
	"leme/server/rest"
	"leme/server/scheduler"
	"leme/server/seal"
	"leme/server/usage"
)

// Config is what a server needs.
type Config struct {
	Home      string // the folder of pki/, etcd/ and kubeconfig; required
	Listen    string // default ":6443"
	Advertise string // the IP or name in kubeconfigs and the certificate; default: the host's first global address

	EtcdEndpoints             []string // empty: embedded etcd under Home/etcd
	EtcdCA, EtcdCert, EtcdKey string   // files for TLS to them

	// EncryptSecrets seals Secrets in etcd with the keys in Home/pki/secrets.keys, which is made where there is none.
	// Without it, what was sealed before is read, and written in plain again.
	EncryptSecrets bool

	// MaxRequests is how many requests are served at once, weighed by what they cost; default 600. More wait, and the
	// system's own do not.
	MaxRequests int

	// NodeMonitorGracePeriod is how long a node may be silent before it counts as lost; default 40 s.
	NodeMonitorGracePeriod time.Duration

	// NodeEviction is how fast pods are driven from lost nodes; nil: as in Kubernetes.
	NodeEviction *NodeEviction

	// AutoscalePeriod is how often each HorizontalPodAutoscaler is looked at; default 15 s.
	AutoscalePeriod time.Duration

	// MetricResolution is how often agents are asked what their nodes and pods use; default 15 s.
	MetricResolution time.Duration

	Scheduler *scheduler.Config // nil: one by the default name, with Kubernetes' defaults

	TracingEndpoint       string // of an OpenTelemetry collector; empty: nothing is traced
	TracingRatePerMillion int    // of requests whose caller is not traced itself

	Audit audit.Config // without a Path there is no audit log

	PodCIDR       string                 // default 10.42.0.0/16; each node gets a /24 of it
	ServiceCIDR   string                 // default 10.96.0.0/12; services of a new cluster get their addresses of it
	NodePortRange string                 // default 30000-32767; services get ports of nodes of it
	Mounts        []Mount                // handlers of other parts, besides the API
	Collectors    []prometheus.Collector // metrics of other parts
	Version       string                 // Leme's own, e.g. "0.1.0"

	services resource.Services
}

// NodeEviction bounds how fast pods are driven from nodes that are lost.
type NodeEviction = controller.NodeEviction

// Mount is a handler under a prefix (the embedded registry at /v2/), behind the same TLS, authentication and
// authorization as the API.
type Mount = rest.Mount

// NamedResource is one that roles speak of, and that is not served in the API's form.
type NamedResource = rest.NamedResource

// validate fills in the defaults and checks the rest.
func (c *Config) validate() error {
	if c.Home == "" {
		return errors.New("server: no home folder is set")
	}
	home, err := filepath.Abs(c.Home)
	if err != nil {
		return fmt.Errorf("server: home folder: %w", err)
	}
	c.Home = home
	if c.Listen == "" {
		c.Listen = ":6443"
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("server: the listen address %q is not HOST:PORT: %w", c.Listen, err)
	}
	if c.Advertise == "" {
		c.Advertise = advertised(host)
	}
	if c.PodCIDR == "" {
		c.PodCIDR = "10.42.0.0/16"
	}
	if _, err := netip.ParsePrefix(c.PodCIDR); err != nil {
		return fmt.Errorf("server: the pods' range: %w", err)
	}
	if c.NodeMonitorGracePeriod < 0 {
		return fmt.Errorf("server: nodes cannot be given %s before they count as lost", c.NodeMonitorGracePeriod)
	}
	if c.MetricResolution == 0 {
		c.MetricResolution = usage.DefaultResolution
	}
	if c.MetricResolution < time.Second {
		return fmt.Errorf("server: agents cannot be asked each %s what their nodes use: at least a second must pass", c.MetricResolution)
	}
	if err := c.validateServices(); err != nil {
		return err
	}
	if c.Version == "" {
		c.Version = "0.0.0"
	}
	for _, m := range c.Mounts {
		if m.Handler == nil || m.Prefix == "" || m.Prefix[0] != '/' {
			return fmt.Errorf("server: the mount at %q needs a path and a handler", m.Prefix)
		}
	}
	return nil
}

func (c *Config) validateServices() error {
	if c.ServiceCIDR == "" {
		c.ServiceCIDR = "10.96.0.0/12"
	}
	prefix, err := netip.ParsePrefix(c.ServiceCIDR)
	if err != nil || prefix != prefix.Masked() || !prefix.Addr().Is4() || prefix.Bits() > longestServices {
		return fmt.Errorf("server: the services' range %q is not an IPv4 range of at least a /%d", c.ServiceCIDR, longestServices)
	}
	c.services = resource.Services{Families: []corev1.IPFamily{corev1.IPv4Protocol}, NodePorts: resource.DefaultNodePorts}
	if c.NodePortRange == "" {
		return nil
	}
	ports, err := utilnet.ParsePortRange(c.NodePortRange)
	if err != nil || ports.Size == 0 {
		return fmt.Errorf("server: the range of node ports %q is not FIRST-LAST", c.NodePortRange)
	}
	c.services.NodePorts = *ports
	return nil
}

// longestServices is the smallest range that services can have, by its prefix: of a few addresses.
const longestServices = 29

// sealer reads, and with EncryptSecrets makes, the keys that Secrets are sealed with.
func (c *Config) sealer() (*seal.Sealer, error) {
	load := seal.Load
	if c.EncryptSecrets {
		load = seal.LoadOrCreate
	}
	keys, err := load(filepath.Join(c.Home, "pki", "secrets.keys"))
	return seal.New(keys, c.EncryptSecrets), err
}

// advertised is where a server that listens on host is reached: there, or at the host's first global address.
func advertised(host string) string {
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return host
	}
	if ip := routed(); ip != "" {
		return ip
	}
	return "127.0.0.1"
}

// routed is the address from which packets leave for the world, or that of the first interface with a global one.
func routed() string {
	// Nothing is sent: connecting a datagram socket only asks for the route (TEST-NET-1, RFC 5737).
	if conn, err := net.Dial("udp4", "192.0.2.1:9"); err == nil {
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).IP.String()
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return ""
}
