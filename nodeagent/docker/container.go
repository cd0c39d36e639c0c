package docker

import (
	"context"
	"fmt"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/pod"
)

// Create creates a container that joins its pod's sandbox. Creating an attempt that exists but was never started
// gives that one's ID, when it was made of the same spec.
func (r *Runtime) Create(ctx context.Context, s pod.Spec) (id string, err error) {
	defer plainly(&err)
	release, err := r.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if s.OOMScoreAdj < 0 && r.oom.unknown() {
		if err := r.learnOOMScores(ctx, s.SandboxID); err != nil {
			return "", err
		}
	}
	if err := r.joinable(s.SandboxID); err != nil {
		return "", err
	}
	options, err := r.containerOptions(ctx, s)
	if err != nil {
		return "", fmt.Errorf("creating container %s: %w", s.Container.Name, err)
	}
	id, err = r.create(ctx, options)
	if errdefs.IsConflict(err) {
		if there, ok := r.unstarted(ctx, options.Name, s.Hash); ok {
			id, err = there, nil
		}
	}
	if err == nil && options.Config.StdinOnce {
		err = r.listenFromTheStart(ctx, id)
	}
	return id, err
}

func (r *Runtime) create(ctx context.Context, options client.ContainerCreateOptions) (string, error) {
	var result client.ContainerCreateResult
	err := r.expected.during(events.ActionCreate, options.Name, func() (err error) {
		result, err = r.engine.ContainerCreate(ctx, options)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("creating container: %w", err)
	}
	for _, w := range result.Warnings {
		r.Logger.Debug("the engine warns of a container", "container", options.Name, "warning", w)
	}
	return result.ID, nil
}

// unstarted finds a container that an agent created under this name and did not come to start.
func (r *Runtime) unstarted(ctx context.Context, name, hash string) (id string, ok bool) {
	there, err := r.engine.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return "", false
	}
	c := there.Container
	same := c.Config.Labels[LabelNode] == r.Node && c.Config.Labels[LabelHash] == hash
	return c.ID, same && c.State.Status == container.StateCreated && c.State.ExitCode == 0
}

// learnOOMScores looks at the sandbox that an earlier agent started.
func (r *Runtime) learnOOMScores(ctx context.Context, sandbox string) error {
	there, err := r.engine.ContainerInspect(ctx, sandbox, client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("looking at the sandbox: %w", err)
	}
	r.oom.sandboxHas(there.Container.HostConfig.OomScoreAdj)
	return nil
}

func (r *Runtime) containerOptions(ctx context.Context, s pod.Spec) (client.ContainerCreateOptions, error) {
	labels := r.labels(s.Pod, s.Attempt)
	labels[LabelContainer] = s.Container.Name
	labels[LabelHash] = s.Hash
	labels[LabelImage] = s.Container.Image
	config := &container.Config{
		Image:       s.ImageID,
		Labels:      labels,
		Entrypoint:  s.Command,
		Cmd:         s.Args,
		Env:         s.Env,
		WorkingDir:  s.Container.WorkingDir,
		Tty:         s.Container.TTY,
		OpenStdin:   s.Container.Stdin,
		StdinOnce:   s.Container.StdinOnce,
		StopSignal:  stopSignal(s.Container.Lifecycle),
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}}, // probes are the agent's
	}
	host := &container.HostConfig{
		NetworkMode: container.NetworkMode("container:" + s.SandboxID),
		IpcMode:     container.IpcMode("container:" + s.SandboxID),
		PidMode:     pidMode(s),
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{
			"max-size": r.Log.MaxSize,
			"max-file": strconv.Itoa(r.Log.MaxFiles),
		}},
		Mounts:      mounts(s.Mounts),
		Resources:   resources(s.Share),
		OomScoreAdj: r.oom.allowed(s.OOMScoreAdj),
		Runtime:     s.Handler,
	}
	host.CgroupParent = groupOf(s.Pod)
	host.Devices = devices(s.Devices)
	if s.Pod.Spec.HostIPC {
		host.IpcMode = container.IPCModeHost
	}
	if err := r.applySecurity(ctx, s, config, host); err != nil {
		return client.ContainerCreateOptions{}, err
	}
	return client.ContainerCreateOptions{
		Name:       containerName(s.Pod, s.Container.Name, s.Attempt),
		Config:     config,
		HostConfig: host,
	}, nil
}

// stopSignal is the signal that the spec wants, or empty for the image's own.
func stopSignal(l *corev1.Lifecycle) string {
	if l == nil || l.StopSignal == nil {
		return ""
	}
	return string(*l.StopSignal)
}

func pidMode(s pod.Spec) container.PidMode {
	switch {
	case s.TargetID != "":
		return container.PidMode("container:" + s.TargetID)
	case s.Pod.Spec.HostPID:
		return "host"
	case sharesProcesses(s.Pod):
		return container.PidMode("container:" + s.SandboxID)
	}
	return ""
}

func sharesProcesses(p *corev1.Pod) bool {
	return p.Spec.ShareProcessNamespace != nil && *p.Spec.ShareProcessNamespace
}

// devices may be made anew in the container too, unless they are only to be read.
func devices(wanted []pod.Device) []container.DeviceMapping {
	var all []container.DeviceMapping
	for _, d := range wanted {
		rights := "mrw"
		if d.ReadOnly {
			rights = "r"
		}
		all = append(all, container.DeviceMapping{PathOnHost: d.HostPath, PathInContainer: d.ContainerPath, CgroupPermissions: rights})
	}
	return all
}

func mounts(wanted []pod.Mount) []mount.Mount {
	var all []mount.Mount
	for _, m := range wanted {
		all = append(all, mount.Mount{
			Type:        mount.TypeBind,
			Source:      m.HostPath,
			Target:      m.ContainerPath,
			ReadOnly:    m.ReadOnly,
			BindOptions: &mount.BindOptions{Propagation: mount.Propagation(m.Propagation)},
		})
	}
	return all
}
