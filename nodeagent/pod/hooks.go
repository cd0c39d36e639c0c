package pod

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/probe"
)

// hook runs a lifecycle hook of one running container.
type hook struct {
	runtime   Runtime
	id        string
	host      string // the pod's address
	container *corev1.Container
}

func (h hook) run(ctx context.Context, handler *corev1.LifecycleHandler) error {
	switch {
	case handler.Exec != nil:
		return h.exec(ctx, handler.Exec.Command)
	case handler.HTTPGet != nil:
		return probe.Call(ctx, handler.HTTPGet, probe.Target{Host: h.host, Container: h.container})
	case handler.Sleep != nil:
		return sleep(ctx, time.Duration(handler.Sleep.Seconds)*time.Second)
	}
	return errors.New("invalid handler") // tcpSocket too: it can be written, and never worked
}

func (h hook) exec(ctx context.Context, command []string) error {
	output, code, err := h.runtime.Exec(ctx, h.id, command)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("command %q exited with %d: %s", command, code, output)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
