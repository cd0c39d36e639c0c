package nodeagent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"leme/nodeagent/pod"
	"leme/nodeagent/volume"
)

// cleanGrace is how long containers may take to stop when the whole node is taken down.
const cleanGrace = 5 * time.Second

// Clean takes the node's pods off this machine while no agent runs: it stops and removes all their containers, unmounts
// and removes their volumes. It returns how many containers it removed.
func Clean(ctx context.Context, r pod.Runtime, home string) (int, error) {
	all, err := r.Containers(ctx)
	if err != nil {
		return 0, err
	}
	for _, sandboxes := range []bool{false, true} { // containers go before the sandboxes that they joined
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(8)
		for _, c := range all {
			if c.Sandbox == sandboxes {
				g.Go(func() error { return take(ctx, r, c) })
			}
		}
		if err := g.Wait(); err != nil {
			return 0, err
		}
	}
	return len(all), cleanDirs(filepath.Join(home, "agent", "pods"))
}

func take(ctx context.Context, r pod.Runtime, c pod.Container) error {
	if c.State == pod.Running && !c.Sandbox {
		if err := r.Stop(ctx, c.ID, cleanGrace); err != nil {
			return fmt.Errorf("stopping %s of pod %s/%s: %w", c.Name, c.PodNamespace, c.PodName, err)
		}
	}
	return r.Remove(ctx, c.ID)
}

func cleanDirs(dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		err = errors.Join(err, volume.Pod{Dir: filepath.Join(dir, e.Name())}.TearDown())
	}
	return err
}
