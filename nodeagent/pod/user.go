package pod

import (
	"context"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// studyUser finds out whom a container runs as, unless the API has been told: that stays as it was at the start.
func (w *worker) studyUser(ctx context.Context, c Container) {
	if _, known := w.view.Users[c.ID]; known || c.State == Created || w.view.toldUser(c) != nil {
		return
	}
	who, err := w.deps.Runtime.Identity(ctx, c.ImageID, c.RunsAs)
	if err != nil {
		w.log.Debug("it is not known whom a container runs as", "container", c.Name, "error", err)
	}
	w.view.Users[c.ID] = who
}

// user is whom a container's first process ran as when it began; nil when that is not known.
func (v *View) user(c Container) *corev1.ContainerUser {
	if told := v.toldUser(c); told != nil {
		return told
	}
	if who := v.Users[c.ID]; who != nil {
		return &corev1.ContainerUser{Linux: who}
	}
	return nil
}

func (v *View) toldUser(c Container) *corev1.ContainerUser {
	if s := v.reported(c.Name); s != nil && s.ContainerID == runtimeScheme+c.ID {
		return s.User
	}
	return nil
}

// signal names the signal that ends a container, of one whose spec chooses it.
func signal(c *corev1.Container, have Container) *corev1.Signal {
	if c.Lifecycle == nil || c.Lifecycle.StopSignal == nil {
		return nil
	}
	name := corev1.Signal(signalName(have.StopSignal))
	return &name
}

// signalName is a signal as the API names it: images have numbers and names without the first letters too.
func signalName(s string) string {
	if s == "" {
		return "SIGTERM"
	}
	if n, err := strconv.Atoi(s); err == nil {
		if name := unix.SignalName(unix.Signal(n)); name != "" {
			return name
		}
		return s
	}
	return "SIG" + strings.TrimPrefix(strings.ToUpper(s), "SIG")
}
