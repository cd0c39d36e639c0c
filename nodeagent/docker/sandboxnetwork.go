package docker

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	mobynet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// Who gives a sandbox its network: its pod is in the host's, or the engine connects it, or it makes a namespace of its
// own that the agent connects.
func (r *Runtime) sandboxNetwork(s pod.Sandbox, address netip.Addr, o *client.ContainerCreateOptions) error {
	host := o.HostConfig
	host.DNSSearch, host.DNSOptions = s.DNS.Searches, s.DNS.Options
	for _, server := range s.DNS.Servers {
		ip, err := netip.ParseAddr(server)
		if err != nil {
			return fmt.Errorf("name server: %w", err)
		}
		host.DNS = append(host.DNS, ip)
	}
	if s.Pod.Spec.HostNetwork {
		host.NetworkMode = mobynet.NetworkHost
		return nil
	}
	o.Config.Hostname = s.Hostname
	ports, err := portsOf(s.Ports)
	if err != nil {
		return err
	}
	if r.connector() != nil {
		r.ownNetwork(s, network.Endpoint{
			Network: r.Network.Name(), Owner: string(s.Pod.UID), Address: address, Ports: ports,
		}, o)
		return nil
	}
	return r.engineNetwork(address, ports, o)
}

// engineNetwork has the engine connect the sandbox and publish its ports.
func (r *Runtime) engineNetwork(address netip.Addr, ports []network.Port, o *client.ContainerCreateOptions) error {
	o.HostConfig.PortBindings, o.Config.ExposedPorts = mobynet.PortMap{}, mobynet.PortSet{}
	for _, p := range ports {
		port, ok := mobynet.PortFrom(p.Container, mobynet.IPProtocol(p.Protocol))
		if !ok {
			return fmt.Errorf("port %d/%s is not valid", p.Container, p.Protocol)
		}
		o.HostConfig.PortBindings[port] = append(o.HostConfig.PortBindings[port],
			mobynet.PortBinding{HostIP: p.HostIP, HostPort: strconv.Itoa(int(p.Host))})
		o.Config.ExposedPorts[port] = struct{}{}
	}
	name := r.Network.Name()
	o.HostConfig.NetworkMode = container.NetworkMode(name)
	o.NetworkingConfig = &mobynet.NetworkingConfig{EndpointsConfig: map[string]*mobynet.EndpointSettings{
		name: {IPAMConfig: &mobynet.EndpointIPAMConfig{IPv4Address: address}},
	}}
	return nil
}

// ownNetwork has the sandbox start in the host's network, and leave it for a namespace of its own before anything else.
// The rights for that it gives up itself. Sysctls of the network cannot be the engine's to set then.
func (r *Runtime) ownNetwork(s pod.Sandbox, e network.Endpoint, o *client.ContainerCreateOptions) {
	o.HostConfig.NetworkMode = mobynet.NetworkHost
	o.HostConfig.CapAdd = []string{"SYS_ADMIN", "SETUID", "SETGID"}
	o.Config.User = "0:0"
	o.Config.Entrypoint = []string{netnsPath}
	for name, value := range sysctls(s.Pod.Spec.SecurityContext) {
		if network.IsNetwork(name) {
			delete(o.HostConfig.Sysctls, name)
			if e.Sysctls == nil {
				e.Sysctls = map[string]string{}
			}
			e.Sysctls[name] = value
		}
	}
	o.Config.Labels[network.EndpointLabel] = e.Label()
}

// portsOf are the ports of the host that lead to a pod.
func portsOf(ports []corev1.ContainerPort) ([]network.Port, error) {
	var all []network.Port
	for _, p := range ports {
		port := network.Port{Protocol: network.Protocol(strings.ToLower(string(p.Protocol))), Host: uint16(p.HostPort), Container: uint16(p.ContainerPort)}
		if port.Protocol == "" {
			port.Protocol = "tcp"
		}
		if p.HostIP != "" {
			ip, err := netip.ParseAddr(p.HostIP)
			if err != nil {
				return nil, fmt.Errorf("hostIP of port %d: %w", p.ContainerPort, err)
			}
			port.HostIP = ip
		}
		all = append(all, port)
	}
	return all, nil
}
