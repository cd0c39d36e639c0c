package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"leme/nodeagent/pod"
)

// resources is a share in the engine's words.
func resources(s pod.Share) container.Resources {
	r := container.Resources{CPUShares: s.Weight, CPUQuota: s.Quota, Memory: s.Memory, MemorySwap: s.Memory}
	if s.Quota > 0 {
		r.CPUPeriod = pod.CPUPeriod
	}
	return r
}

// share reads back what resources wrote.
func share(r container.Resources) pod.Share {
	return pod.Share{Weight: r.CPUShares, Quota: r.CPUQuota, Memory: r.Memory}
}

// Resize holds a running container to other amounts. Less memory than it uses is refused: the kernel would kill it.
func (r *Runtime) Resize(ctx context.Context, id string, s pod.Share) (err error) {
	defer plainly(&err)
	if s.Memory > 0 {
		used, err := r.Stats(ctx, id)
		if err != nil {
			return err
		}
		if used.WorkingSet > uint64(s.Memory) {
			return fmt.Errorf("attempting to set the memory limit (%d) below current usage (%d)", s.Memory, used.WorkingSet)
		}
	}
	wanted := resources(s)
	result, err := r.engine.ContainerUpdate(ctx, id, client.ContainerUpdateOptions{Resources: &wanted})
	if err != nil {
		return fmt.Errorf("updating container: %w", err)
	}
	for _, w := range result.Warnings {
		r.Logger.Debug("the engine warns of a resize", "container", id, "warning", w)
	}
	r.forget(id)
	return nil
}
