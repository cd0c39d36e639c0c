package pod

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/kubernetes"

	"leme/nodeagent/volume"
)

// builder makes specs of containers with everything resolved.
type builder struct {
	pod     *corev1.Pod // with the status that holds now
	node    string
	memory  resource.Quantity // the node's
	dns     DNS
	share   Share
	target  string // see Spec.TargetID
	objects Objects
	links   *services
	fields  Fields
	files   files
	volumes volume.Pod
	paths   map[string]string // of the volumes
	client  kubernetes.Interface
}

// spec resolves one container. skipped are keys of sources that cannot be names of variables.
func (b builder) spec(ctx context.Context, c *corev1.Container, sandbox Container, image Image, attempt int) (s Spec, skipped []string, err error) {
	if err := checkNonRoot(b.pod, c, image); err != nil {
		return Spec{}, nil, err
	}
	name, domain := hostname(b.pod, b.node)
	services, err := b.links.of(ctx, b.pod)
	if err != nil {
		return Spec{}, nil, err
	}
	r := resolver{pod: b.pod, hostname: name, objects: b.objects, fields: b.fields, services: services, volumes: b.paths}
	env, skipped, err := r.environment(ctx, c)
	if err != nil {
		return Spec{}, nil, err
	}
	mounts, err := b.mounts(c, env.values)
	if err != nil {
		return Spec{}, nil, err
	}
	devices, err := b.devices(c)
	if err != nil {
		return Spec{}, nil, err
	}
	hosts, err := hostsFile(b.pod, b.pod.Status.PodIP, name, domain)
	if err != nil {
		return Spec{}, nil, err
	}
	own, err := b.files.mounts(c, attempt, hosts, b.dns.file())
	if err != nil {
		return Spec{}, nil, err
	}
	handler, err := runtimeHandler(ctx, b.client, b.pod)
	if err != nil {
		return Spec{}, nil, err
	}
	return Spec{
		Pod: b.pod, Container: *c, SandboxID: sandbox.ID, Attempt: attempt, Hash: Hash(c), ImageID: image.ID,
		Command: expandAll(c.Command, env.values), Args: expandAll(c.Args, env.values),
		Env: env.list(), Mounts: append(mounts, own...), Devices: devices,
		Share: b.share, TargetID: b.target,
		OOMScoreAdj: oomScoreAdj(b.pod, c, b.memory), Handler: handler,
	}, skipped, nil
}

func (b builder) mounts(c *corev1.Container, env map[string]string) ([]Mount, error) {
	var mounts []Mount
	for i, m := range c.VolumeMounts {
		path, ok := b.paths[m.Name]
		if !ok {
			return nil, fmt.Errorf("cannot find volume %q to mount into container %q", m.Name, c.Name)
		}
		sub, err := subPath(m, env)
		if err != nil {
			return nil, err
		}
		switch v := volumeOf(b.pod, m.Name); {
		case sub == "":
		case v != nil && v.Image != nil:
			if path, err = b.imageSubPath(path, sub, c.Name, i); err != nil {
				return nil, err
			}
		default:
			if path, err = b.volumes.SubPath(path, sub, c.Name, i); err != nil {
				return nil, fmt.Errorf("failed to prepare subPath for volumeMount %q of container %q: %w", m.Name, c.Name, err)
			}
		}
		if recursivelyReadOnly(m) {
			if path, err = b.volumes.ReadOnly(path, c.Name, i); err != nil {
				return nil, fmt.Errorf("failed to prepare volumeMount %q of container %q: %w", m.Name, c.Name, err)
			}
		}
		at := m.MountPath
		if !filepath.IsAbs(at) {
			at = filepath.Join("/", at)
		}
		mounts = append(mounts, Mount{HostPath: path, ContainerPath: at, ReadOnly: m.ReadOnly || b.readOnly(m.Name), Propagation: propagation(m.MountPropagation)})
	}
	return mounts, nil
}

// devices are the volumes that a container gets as they are.
func (b builder) devices(c *corev1.Container) ([]Device, error) {
	var devices []Device
	for _, d := range c.VolumeDevices {
		path, ok := b.paths[d.Name]
		if !ok {
			return nil, fmt.Errorf("cannot find volume %q to pass into container %q", d.Name, c.Name)
		}
		devices = append(devices, Device{HostPath: path, ContainerPath: d.DevicePath, ReadOnly: b.readOnly(d.Name)})
	}
	return devices, nil
}

// readOnly says whether a volume may not be written to, whatever its mounts say.
func (b builder) readOnly(name string) bool {
	return slices.ContainsFunc(b.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == name && volume.ReadOnly(&v.VolumeSource) })
}

// subPath is the path inside the volume; subPathExpr may use the container's variables, all of which must be there.
func subPath(m corev1.VolumeMount, env map[string]string) (string, error) {
	if m.SubPathExpr == "" {
		return m.SubPath, nil
	}
	path := expand(m.SubPathExpr, env)
	if strings.Contains(path, "$(") {
		return "", fmt.Errorf("subPathExpr %q of volumeMount %q: a variable is not defined", m.SubPathExpr, m.Name)
	}
	return path, nil
}

func propagation(mode *corev1.MountPropagationMode) string {
	if mode == nil {
		return "rprivate"
	}
	switch *mode {
	case corev1.MountPropagationHostToContainer:
		return "rslave"
	case corev1.MountPropagationBidirectional:
		return "rshared"
	}
	return "rprivate"
}

// recursivelyReadOnly says whether a mount is read-only with all that is mounted below it: where that is wanted, and
// where it is wanted if possible on a host that can.
func recursivelyReadOnly(m corev1.VolumeMount) bool {
	if !m.ReadOnly || m.RecursiveReadOnly == nil {
		return false
	}
	return *m.RecursiveReadOnly == corev1.RecursiveReadOnlyEnabled ||
		*m.RecursiveReadOnly == corev1.RecursiveReadOnlyIfPossible && volume.RecursivelyReadOnly()
}
