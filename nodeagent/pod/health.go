package pod

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/probe"
)

// probe has one prober run for each probe of each container that runs, and none for others.
func (w *worker) probe(ctx context.Context) {
	wanted := map[string]bool{}
	if !w.view.Gone && w.view.Pod.DeletionTimestamp == nil && w.view.Refused == "" {
		for _, have := range w.view.Containers {
			c := containerOf(w.view.Pod, have.Name)
			if !have.Runs() || have.Sandbox || c == nil || w.view.Busy[have.Name].Verb != "" {
				continue
			}
			wanted[have.ID] = true
			if w.probers[have.ID] == nil && hasProbes(c) {
				w.startProbers(ctx, c, have)
			}
		}
	}
	for id, stop := range w.probers {
		if !wanted[id] {
			stop()
			delete(w.probers, id)
		}
	}
	w.forgetHealth()
}

func hasProbes(c *corev1.Container) bool {
	return c.StartupProbe != nil || c.LivenessProbe != nil || c.ReadinessProbe != nil
}

func (w *worker) startProbers(ctx context.Context, c *corev1.Container, have Container) {
	ctx, cancel := context.WithCancel(ctx)
	w.probers[have.ID] = cancel
	pod := w.podNow()
	var after chan struct{}
	if c.StartupProbe != nil && w.view.health(have).Startup != probe.Success {
		after = make(chan struct{})
	}
	for _, p := range []struct {
		kind  probe.Kind
		spec  *corev1.Probe
		after chan struct{}
	}{{probe.Startup, c.StartupProbe, nil}, {probe.Liveness, c.LivenessProbe, after}, {probe.Readiness, c.ReadinessProbe, after}} {
		if p.spec == nil || p.kind == probe.Startup && after == nil {
			continue
		}
		prober := &probe.Prober{
			Kind: p.kind, Spec: p.spec, Started: have.Started, After: p.after, Target: w.target(pod, c, have.ID),
			Subject: probe.Subject{Namespace: pod.Namespace, Pod: pod.Name, UID: pod.UID, Container: c.Name},
			Report:  w.reportHealth(have.ID, p.kind, after), Failed: w.unhealthy(pod, c, p.kind),
		}
		w.probing.Go(func() { prober.Run(ctx) })
	}
}

func (w *worker) target(pod *corev1.Pod, c *corev1.Container, id string) probe.Target {
	return probe.Target{Host: pod.Status.PodIP, Container: c, Exec: func(ctx context.Context, command []string) ([]byte, int, error) {
		return w.deps.Runtime.Exec(ctx, id, expandAll(command, literals(c)))
	}}
}

// literals are the variables whose values stand in the spec. A probe's command may use them, and no others.
func literals(c *corev1.Container) map[string]string {
	values := make(map[string]string, len(c.Env))
	for _, v := range c.Env {
		values[v.Name] = v.Value
	}
	return values
}

func (w *worker) reportHealth(id string, kind probe.Kind, after chan struct{}) func(probe.Result) {
	return func(r probe.Result) {
		if kind == probe.Startup && r == probe.Success {
			close(after)
		}
		w.post(func(m *mailbox) {
			h := m.health[id]
			switch kind {
			case probe.Startup:
				h.Startup = r
			case probe.Liveness:
				h.Liveness = r
			case probe.Readiness:
				h.Readiness = r
			}
			m.health[id] = h
		})
	}
}

func (w *worker) unhealthy(pod *corev1.Pod, c *corev1.Container, kind probe.Kind) func(string, error) {
	say := w.narrator.container(pod, c)
	return func(output string, err error) {
		if err != nil {
			say(corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe errored and resulted in unknown state: %v", kind, err))
			return
		}
		say(corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe failed: %s", kind, output))
	}
}

// forgetHealth drops what probes found of containers that are gone.
func (w *worker) forgetHealth() {
	present := map[string]bool{}
	for _, c := range w.view.Containers {
		present[c.ID] = true
	}
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	for id := range w.mail.health {
		if !present[id] {
			delete(w.mail.health, id)
		}
	}
}
