package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"leme/nodeagent/disk"
)

// StorageRoot is the directory whose disk holds images and what containers write; empty when the engine is on another
// machine.
func (r *Runtime) StorageRoot(ctx context.Context) (string, error) {
	result, err := r.engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return "", fmt.Errorf("asking the container engine where it keeps images: %w", err)
	}
	root := storageRoot(result.Info)
	if _, err := os.Stat(root); err != nil || !strings.HasPrefix(r.engine.DaemonHost(), "unix://") {
		return "", nil
	}
	return root, nil
}

// storageRoot is the engine's own directory with a graph driver, and containerd's with its store: there it is either a
// containerd that the engine runs itself, below its directory, or the system's.
func storageRoot(info system.Info) string {
	for _, pair := range info.DriverStatus {
		if pair[0] != "driver-type" || !strings.HasPrefix(pair[1], "io.containerd.snapshotter") {
			continue
		}
		if info.Containerd != nil && strings.Contains(info.Containerd.Address, "/docker/containerd/") {
			return filepath.Join(info.DockerRootDir, "containerd", "daemon")
		}
		return "/var/lib/containerd"
	}
	return info.DockerRootDir
}

// Stored tells what a container has written into its own file system, and what its log takes with the files before it.
// When ctx ends meanwhile it tells as much as it has found, with ctx's error.
func (r *Runtime) Stored(ctx context.Context, id string) (layer, log disk.Usage, err error) {
	result, err := r.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return layer, log, fmt.Errorf("looking for a container's files: %w", err)
	}
	if path := result.Container.LogPath; path != "" {
		if log, err = disk.UsedBy(path + "*"); err != nil {
			return layer, log, err
		}
	}
	layer, err = r.layer(ctx, result.Container)
	return layer, log, err
}

// layer walks through what an overlay has on top, where that can be seen; else the engine is asked, which counts bytes
// alone.
func (r *Runtime) layer(ctx context.Context, c container.InspectResponse) (disk.Usage, error) {
	if c.GraphDriver != nil {
		if upper := c.GraphDriver.Data["UpperDir"]; upper != "" {
			if _, err := os.Stat(upper); err == nil {
				return disk.Used(ctx, upper)
			}
		}
	}
	result, err := r.engine.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{Size: true})
	if err != nil {
		return disk.Usage{}, fmt.Errorf("asking for a container's size: %w", err)
	}
	if result.Container.SizeRw == nil {
		return disk.Usage{}, errors.New("the engine does not tell a container's size")
	}
	return disk.Usage{Bytes: *result.Container.SizeRw}, nil
}

// ImagesInUse gives the IDs of the images that any container of the engine is made of, whoever made it.
func (r *Runtime) ImagesInUse(ctx context.Context) (map[string]bool, error) {
	list, err := r.engine.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	used := map[string]bool{}
	for _, c := range list.Items {
		used[c.ImageID] = true
	}
	return used, nil
}
