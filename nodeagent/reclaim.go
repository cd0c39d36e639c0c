package nodeagent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
)

// layerCache is a Puller that keeps what it has downloaded, and can let go of what no pull is using.
type layerCache interface {
	FreeCache() (bytes int64, err error)
}

// reclaimer removes what no pod needs.
type reclaimer struct{ agent *Agent }

// purgePatience bounds the wait for dead containers to be removed.
const purgePatience = 30 * time.Second

// Reclaim implements eviction.Reclaimer: on the images' disk dead containers of pods that have ended go, then images
// that nobody uses; on the agent's own what pulls have left.
func (r reclaimer) Reclaim(ctx context.Context, images, volumes bool) error {
	var err error
	if images {
		err = errors.Join(r.purge(ctx), r.agent.images.DropUnused(ctx))
	}
	if volumes {
		freed, cacheErr := r.agent.freeCaches()
		r.agent.log.Info("let go of what pulls have left", "bytes", freed)
		err = errors.Join(err, cacheErr)
	}
	return err
}

// freeCaches removes what is kept for the next pod alone: layers, and the files of images that no volume shows.
func (a *Agent) freeCaches() (freed int64, err error) {
	if cache, ok := a.config.Puller.(layerCache); ok {
		freed, err = cache.FreeCache()
	}
	return freed, errors.Join(err, a.unpacked.Free())
}

func (r reclaimer) purge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, purgePatience)
	defer cancel()
	for _, done := range r.agent.pods.Purge() {
		select {
		case <-done:
		case <-ctx.Done():
			return fmt.Errorf("removing the containers of pods that have ended: %w", ctx.Err())
		}
	}
	return nil
}

// wantedImages are those of the pods that are to run here, by their whole names, and those that volumes show, by their IDs.
func (a *Agent) wantedImages() []string {
	var names []string
	for _, p := range a.pods.List() {
		if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue
		}
		for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
			for i := range list {
				names = append(names, wholeName(list[i].Image))
			}
		}
		for i := range p.Spec.EphemeralContainers {
			names = append(names, wholeName(p.Spec.EphemeralContainers[i].Image))
		}
		for _, v := range p.Spec.Volumes {
			if v.Image != nil {
				names = append(names, wholeName(v.Image.Reference))
			}
		}
	}
	shown, err := a.unpacked.InUse()
	if err != nil {
		a.log.Warn("which images volumes show cannot be seen", "error", err)
	}
	return append(names, shown...)
}

// wholeName is a reference with its registry and tag; an ID, or what is no name, stays as it is.
func wholeName(image string) string {
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return image
	}
	return named.String()
}
