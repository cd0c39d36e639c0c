package docker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"leme/nodeagent/pod"
)

// Start starts a created container; one that runs already is no error. When the container's process cannot be started
// the error is a *pod.StartError with the code that Kubernetes shows: 127 when the command is not there, 126 when it
// may not be executed, 128 for all else.
func (r *Runtime) Start(ctx context.Context, id string) (err error) {
	defer plainly(&err)
	release, err := r.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	err = r.begin(ctx, id)
	r.forget(id)
	if err == nil {
		return nil
	}
	// A pod that can only end with that is ended at once, which cancels ctx: why it cannot start is still to be told.
	lookup, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	c, _, inspectErr := r.inspect(lookup, id)
	if inspectErr != nil || c.ExitCode == 0 {
		return fmt.Errorf("starting container: %w", err)
	}
	return &pod.StartError{ExitCode: c.ExitCode, Message: c.Error}
}

func (r *Runtime) begin(ctx context.Context, id string) error {
	return r.expected.during(events.ActionStart, id, func() error {
		_, err := r.engine.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

// Stop sends the container's stop signal, waits for grace (whole seconds, rounded up) and kills it then.
// Stopping what has ended or is gone is no error.
func (r *Runtime) Stop(ctx context.Context, id string, grace time.Duration) (err error) {
	defer plainly(&err)
	seconds := int(math.Ceil(max(grace, 0).Seconds()))
	_, err = r.engine.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("stopping container: %w", err)
	}
	return nil
}

// Remove removes a container, running or not, with its anonymous volumes, and gives its address back. It returns once
// the container is gone, whoever began to remove it. Removing what is gone is no error.
func (r *Runtime) Remove(ctx context.Context, id string) (err error) {
	defer plainly(&err)
	err = r.remove(ctx, id)
	if errdefs.IsConflict(err) { // somebody else's removal of it is under way
		err = r.awaitRemoval(ctx, id)
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("removing container: %w", err)
	}
	r.forget(id)
	r.releaseAddress(id)
	if w := r.takeFirstWords(id); w != nil {
		w.Close()
	}
	return nil
}

// removalPatience bounds the wait for a removal that somebody else began.
const removalPatience = 30 * time.Second

func (r *Runtime) awaitRemoval(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, removalPatience)
	defer cancel()
	removed := r.engine.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	select {
	case r := <-removed.Result:
		if r.Error != nil {
			return errors.New(r.Error.Message)
		}
		return nil
	case err := <-removed.Error:
		return err
	}
}

func (r *Runtime) remove(ctx context.Context, id string) error {
	if _, own := r.connections.process(id); !own && r.addresses.has(id) {
		release, err := r.attachments.acquire(ctx)
		if err != nil {
			return err
		}
		defer release()
	}
	_, err := r.engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return err
}

// RemoveAll removes every container of this node, running or not, at once: those of pods first, then their sandboxes.
func (r *Runtime) RemoveAll(ctx context.Context) error {
	all, err := r.Containers(ctx)
	if err != nil {
		return err
	}
	if err := r.removeReading(ctx, r.Node+"/"); err != nil {
		return err
	}
	for _, sandboxes := range []bool{false, true} {
		var group errgroup.Group
		group.SetLimit(r.Parallel)
		for _, c := range all {
			if c.Sandbox == sandboxes {
				group.Go(func() error { return r.Remove(ctx, c.ID) })
			}
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// discard removes a container whose making failed, also when that was because ctx ended.
func (r *Runtime) discard(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := r.Remove(ctx, id); err != nil {
		r.Logger.Warn("a container that failed to start is left behind", "id", id, "error", err)
	}
}
