package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/pod"
)

// sandboxOOMScore keeps a pod's sandbox alive when memory runs out, as the kubelet scores its pause containers.
const sandboxOOMScore = -998

// RunSandbox creates and starts the container that owns the pod's namespaces. Nothing is left behind when it fails.
func (r *Runtime) RunSandbox(ctx context.Context, s pod.Sandbox) (pod.Container, error) {
	release, err := r.acquire(ctx)
	if err != nil {
		return pod.Container{}, err
	}
	defer release()
	image, err := r.ensureSandboxImage(ctx)
	if err != nil {
		return pod.Container{}, err
	}
	if s.Pod.Spec.HostNetwork {
		return r.runSandbox(ctx, s, image, netip.Addr{})
	}
	return r.runAddressedSandbox(ctx, s, image)
}

// addressAttempts bounds how many addresses are tried when others use those that we think are free.
const addressAttempts = 5

func (r *Runtime) runAddressedSandbox(ctx context.Context, s pod.Sandbox, image string) (pod.Container, error) {
	if r.Network == nil {
		return pod.Container{}, errors.New("the node has no pod network")
	}
	var c pod.Container
	for range addressAttempts {
		address, err := r.Network.Allocate(ctx)
		if err != nil {
			return pod.Container{}, fmt.Errorf("giving the pod an address: %w", err)
		}
		c, err = r.runSandbox(ctx, s, image, address)
		if err == nil && c.IP == address.String() {
			r.addresses.keep(c)
			return c, nil
		}
		r.Network.Release(address)
		if err == nil { // a sandbox of this attempt ran already, with an address of its own
			return c, nil
		}
		if !strings.Contains(err.Error(), "Address already in use") {
			return pod.Container{}, err
		}
	}
	return pod.Container{}, fmt.Errorf("giving the pod an address: the last %d were all taken", addressAttempts)
}

// runSandbox runs a sandbox with the score that it should have, or without one where the host refuses that.
func (r *Runtime) runSandbox(ctx context.Context, s pod.Sandbox, image string, address netip.Addr) (pod.Container, error) {
	score := r.oom.allowed(sandboxOOMScore)
	c, err := r.runScoredSandbox(ctx, s, image, address, score)
	if err != nil && score < 0 && blamesOOMScore(err) {
		score = 0
		c, err = r.runScoredSandbox(ctx, s, image, address, score)
	}
	if err == nil {
		r.oom.sandboxHas(score)
	}
	return c, err
}

func (r *Runtime) runScoredSandbox(ctx context.Context, s pod.Sandbox, image string, address netip.Addr, oomScore int) (pod.Container, error) {
	options, err := r.sandboxOptions(s, image, address, oomScore)
	if err != nil {
		return pod.Container{}, err
	}
	id, err := r.createSandbox(ctx, options)
	if err != nil {
		return pod.Container{}, err
	}
	if err := r.startSandbox(ctx, id); err != nil {
		r.discard(ctx, id)
		return pod.Container{}, fmt.Errorf("starting the sandbox: %w", err)
	}
	return r.inspect(ctx, id)
}

func (r *Runtime) startSandbox(ctx context.Context, id string) error {
	release, err := r.attachments.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	_, err = r.engine.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return err
}

// createSandbox creates a sandbox or finds the one that runs under its name. One that does not run is left over from
// an agent that died between creating and starting, or has ended: it makes way.
func (r *Runtime) createSandbox(ctx context.Context, options client.ContainerCreateOptions) (string, error) {
	id, err := r.create(ctx, options)
	switch {
	case errdefs.IsNotFound(err):
		r.forgetSandboxImage()
		return "", fmt.Errorf("creating the sandbox: %w", err)
	case !errdefs.IsConflict(err):
		return id, err
	}
	there, inspectErr := r.engine.ContainerInspect(ctx, options.Name, client.ContainerInspectOptions{})
	if inspectErr != nil {
		return "", fmt.Errorf("creating the sandbox: %w", errors.Join(err, inspectErr))
	}
	if there.Container.State.Running {
		return there.Container.ID, nil
	}
	if err := r.Remove(ctx, there.Container.ID); err != nil {
		return "", fmt.Errorf("replacing the sandbox: %w", err)
	}
	return r.create(ctx, options)
}

func (r *Runtime) sandboxOptions(s pod.Sandbox, image string, address netip.Addr, oomScore int) (client.ContainerCreateOptions, error) {
	spec := &s.Pod.Spec
	labels := r.labels(s.Pod, s.Attempt)
	labels[LabelSandbox] = "true"
	host := &container.HostConfig{
		LogConfig:      container.LogConfig{Type: "none"},
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges:true"},
		ReadonlyRootfs: true,
		OomScoreAdj:    oomScore,
		IpcMode:        container.IPCModeShareable,
		ExtraHosts:     extraHosts(spec.HostAliases),
		Sysctls:        sysctls(spec.SecurityContext),
		Resources:      container.Resources{CPUShares: 2, CgroupParent: s.CgroupParent},
	}
	config := &container.Config{Image: image, Labels: labels, StopSignal: "SIGKILL"}
	if spec.HostPID {
		host.PidMode = "host"
	}
	if spec.HostIPC {
		host.IpcMode = container.IPCModeHost
	}
	networking, err := r.sandboxNetwork(s, address, config, host)
	if err != nil {
		return client.ContainerCreateOptions{}, err
	}
	return client.ContainerCreateOptions{
		Name:             containerName(s.Pod, sandboxName, s.Attempt),
		Config:           config,
		HostConfig:       host,
		NetworkingConfig: networking,
	}, nil
}

// sandboxNetwork fills in hostname, resolver, published ports and the network with the pod's address.
func (r *Runtime) sandboxNetwork(s pod.Sandbox, address netip.Addr, config *container.Config, host *container.HostConfig) (*network.NetworkingConfig, error) {
	host.DNSSearch, host.DNSOptions = s.DNS.Searches, s.DNS.Options
	for _, server := range s.DNS.Servers {
		ip, err := netip.ParseAddr(server)
		if err != nil {
			return nil, fmt.Errorf("name server: %w", err)
		}
		host.DNS = append(host.DNS, ip)
	}
	if s.Pod.Spec.HostNetwork {
		host.NetworkMode = network.NetworkHost
		return nil, nil
	}
	config.Hostname = s.Hostname
	ports, err := portMap(s.Ports)
	if err != nil {
		return nil, err
	}
	host.PortBindings = ports
	config.ExposedPorts = network.PortSet{}
	for port := range ports {
		config.ExposedPorts[port] = struct{}{}
	}
	name := r.Network.Name()
	host.NetworkMode = container.NetworkMode(name)
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
		name: {IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: address}},
	}}, nil
}

func portMap(ports []corev1.ContainerPort) (network.PortMap, error) {
	m := network.PortMap{}
	for _, p := range ports {
		protocol := network.IPProtocol(strings.ToLower(string(p.Protocol)))
		if protocol == "" {
			protocol = network.TCP
		}
		port, ok := network.PortFrom(uint16(p.ContainerPort), protocol)
		if !ok {
			return nil, fmt.Errorf("port %d/%s is not valid", p.ContainerPort, p.Protocol)
		}
		binding := network.PortBinding{HostPort: strconv.Itoa(int(p.HostPort))}
		if p.HostIP != "" {
			ip, err := netip.ParseAddr(p.HostIP)
			if err != nil {
				return nil, fmt.Errorf("hostIP of port %d: %w", p.ContainerPort, err)
			}
			binding.HostIP = ip
		}
		m[port] = append(m[port], binding)
	}
	return m, nil
}

func extraHosts(aliases []corev1.HostAlias) []string {
	var hosts []string
	for _, alias := range aliases {
		for _, name := range alias.Hostnames {
			hosts = append(hosts, name+":"+alias.IP)
		}
	}
	return hosts
}

func sysctls(c *corev1.PodSecurityContext) map[string]string {
	if c == nil || len(c.Sysctls) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, s := range c.Sysctls {
		m[s.Name] = s.Value
	}
	return m
}
