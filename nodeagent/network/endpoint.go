package network

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
)

// EndpointLabel marks the sandboxes that make network namespaces of their own; its value is an Endpoint. It never
// changes, so that an agent that comes back knows from it what to connect.
const EndpointLabel = "leme.endpoint"

// Endpoint is a pod's place on the network: what belongs into its namespace, and what leads there.
type Endpoint struct {
	Network string            `json:"network"`
	Owner   string            `json:"owner"` // the pod's UID
	Address netip.Addr        `json:"address"`
	Ports   []Port            `json:"ports,omitempty"`
	Sysctls map[string]string `json:"sysctls,omitempty"` // those of its network, "net.…"
}

// Port is a port of the host that leads to one of a pod.
type Port struct {
	Protocol  Protocol   `json:"protocol"`
	HostIP    netip.Addr `json:"hostIP,omitzero"` // invalid for every address of the host
	Host      uint16     `json:"host"`
	Container uint16     `json:"container"`
}

// Protocol is a transport: "tcp", "udp" or "sctp".
type Protocol string

// String is as the kernel's errors write ports: "127.0.0.1:8080/tcp".
func (p Port) String() string {
	ip := p.HostIP
	if !ip.IsValid() {
		ip = netip.IPv4Unspecified()
	}
	return fmt.Sprintf("%s/%s", netip.AddrPortFrom(ip, p.Host), p.Protocol)
}

// overlaps says whether a packet could be meant for both ports.
func (p Port) overlaps(o Port) bool {
	same := p.anyAddress() || o.anyAddress() || p.HostIP == o.HostIP
	return same && p.Protocol == o.Protocol && p.Host == o.Host
}

func (p Port) anyAddress() bool { return !p.HostIP.IsValid() || p.HostIP.IsUnspecified() }

// Label is the endpoint as the value of its label.
func (e Endpoint) Label() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // it is of strings and numbers
	}
	return string(text)
}

// EndpointOf reads a container's labels; ok is false where they have no endpoint, or one that somebody broke.
func EndpointOf(labels map[string]string) (e Endpoint, ok bool) {
	text, there := labels[EndpointLabel]
	if !there {
		return Endpoint{}, false
	}
	err := json.Unmarshal([]byte(text), &e)
	return e, err == nil && e.Address.Is4()
}

// IsNetwork says whether a sysctl is of a network namespace; such a one is set by who connects that.
func IsNetwork(sysctl string) bool {
	return strings.HasPrefix(sysctl, "net.") || strings.HasPrefix(sysctl, "net/")
}
