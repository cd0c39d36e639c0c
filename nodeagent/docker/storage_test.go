package docker

import (
	"testing"

	"github.com/moby/moby/api/types/system"
)

func TestStorageRoot(t *testing.T) {
	snapshotter := [][2]string{{"driver-type", "io.containerd.snapshotter.v1"}}
	for _, c := range []struct {
		name string
		info system.Info
		want string
	}{
		{"graph driver", system.Info{DockerRootDir: "/var/lib/docker", DriverStatus: [][2]string{{"Backing Filesystem", "extfs"}}}, "/var/lib/docker"},
		{"elsewhere", system.Info{DockerRootDir: "/data/docker"}, "/data/docker"},
		{"the engine's own containerd", system.Info{DockerRootDir: "/var/lib/docker", DriverStatus: snapshotter,
			Containerd: &system.ContainerdInfo{Address: "/var/run/docker/containerd/containerd.sock"}}, "/var/lib/docker/containerd/daemon"},
		{"the system's containerd", system.Info{DockerRootDir: "/var/lib/docker", DriverStatus: snapshotter,
			Containerd: &system.ContainerdInfo{Address: "/run/containerd/containerd.sock"}}, "/var/lib/containerd"},
	} {
		if got := storageRoot(c.info); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
