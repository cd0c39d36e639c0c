package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// sandboxOOMScore keeps a pod's sandbox alive when memory runs out, as the kubelet scores its pause containers.
const sandboxOOMScore = -998

// RunSandbox creates and starts the container that owns the pod's namespaces. Nothing is left behind when it fails.
func (r *Runtime) RunSandbox(ctx context.Context, s pod.Sandbox) (c pod.Container, err error) {
	defer plainly(&err)
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
	for range addressAttempts {
		c, err := r.runSandboxAt(ctx, s, image)
		if errdefs.IsNotFound(err) && r.remakeNetwork(ctx) {
			continue
		}
		if err == nil || !errors.Is(err, network.ErrAddressTaken) && !strings.Contains(err.Error(), "Address already in use") {
			return c, err
		}
	}
	return pod.Container{}, fmt.Errorf("giving the pod an address: the last %d were all taken", addressAttempts)
}

// remakeNetwork makes the pod network again if somebody has removed it; false when it was there.
func (r *Runtime) remakeNetwork(ctx context.Context) bool {
	network, ok := r.Network.(interface {
		Remake(ctx context.Context) (remade bool, err error)
	})
	if !ok {
		return false
	}
	remade, err := network.Remake(ctx)
	if err != nil {
		r.Logger.Warn("cannot make the pod network again, which somebody has removed", "error", err)
	}
	return remade
}

// runSandboxAt runs a sandbox with the next free address, which is given back if that fails.
func (r *Runtime) runSandboxAt(ctx context.Context, s pod.Sandbox, image string) (pod.Container, error) {
	address, err := r.Network.Allocate(ctx)
	if err != nil {
		return pod.Container{}, fmt.Errorf("giving the pod an address: %w", err)
	}
	letGo := r.addresses.hold(address)
	defer letGo()
	c, err := r.runSandbox(ctx, s, image, address)
	if err != nil || c.IP != address.String() { // else a sandbox of this attempt ran already, with an address of its own
		r.Network.Release(address)
		return c, err
	}
	r.addresses.keep(c)
	return c, nil
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
	if s.Made != nil && !r.oom.unknown() { // else it may have to be made again
		made := identity(id, options.Config.Labels)
		made.State = pod.Created
		if address.IsValid() {
			made.IP = address.String()
		}
		s.Made(made)
	}
	c, err := r.startSandbox(ctx, id, options.NetworkingConfig != nil)
	if err != nil {
		r.discard(ctx, id)
		return pod.Container{}, fmt.Errorf("starting the sandbox: %w", err)
	}
	return c, nil
}

// startSandbox starts a sandbox, and connects it unless the engine does. One that runs has started, whatever the engine
// answered: it would have to be started twice otherwise.
func (r *Runtime) startSandbox(ctx context.Context, id string, attached bool) (pod.Container, error) {
	refused := r.startContainer(ctx, id, attached)
	c, endpoint, err := r.inspect(ctx, id)
	if err != nil {
		c, endpoint, err = r.inspect(ctx, id) // it has failed with one answer only
	}
	switch {
	case refused != nil && (err != nil || c.State != pod.Running):
		return c, refused
	case err == nil && endpoint != nil:
		err = r.connectNew(ctx, c, *endpoint)
	}
	if err == nil {
		r.keep([]pod.Container{c})
	}
	return c, err
}

func (r *Runtime) startContainer(ctx context.Context, id string, attached bool) error {
	if attached {
		release, err := r.attachments.acquire(ctx)
		if err != nil {
			return err
		}
		defer release()
	}
	return r.begin(ctx, id)
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
		return "", fmt.Errorf("looking at the sandbox that is there: %w", inspectErr)
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
		Runtime:        s.Handler,
		IpcMode:        container.IPCModeShareable,
		ExtraHosts:     extraHosts(spec.HostAliases),
		Sysctls:        sysctls(spec.SecurityContext),
		// No small share of the processor: the program never runs again, but on a busy node it would wait long to begin.
		Resources: container.Resources{CgroupParent: groupOf(s.Pod)},
	}
	config := &container.Config{Image: image, Labels: labels, StopSignal: "SIGKILL"}
	if spec.HostPID {
		host.PidMode = "host"
	} else if !sharesProcesses(s.Pod) {
		// Nobody in the pod can see the process, and it calls the kernel no more: there is nothing to filter. Making
		// the engine's filter takes a tenth of the start.
		host.SecurityOpt = append(host.SecurityOpt, "seccomp=unconfined")
	}
	if spec.HostIPC {
		host.IpcMode = container.IPCModeHost
	}
	options := client.ContainerCreateOptions{Name: containerName(s.Pod, sandboxName, s.Attempt), Config: config, HostConfig: host}
	if err := r.sandboxNetwork(s, address, &options); err != nil {
		return client.ContainerCreateOptions{}, err
	}
	return options, nil
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
