package test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// exists is a probe that succeeds while a file does: the test program has the three ways to ask.
var exists = map[string]func(path string) corev1.ProbeHandler{
	"exec": func(path string) corev1.ProbeHandler {
		return corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/tool", "cat", path}}}
	},
	"http": func(path string) corev1.ProbeHandler {
		return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/file" + path, Port: intstr.FromString("web")}}
	},
}

// probe asks every second, and takes the first failure for one.
func probe(h corev1.ProbeHandler) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: h, PeriodSeconds: 1, FailureThreshold: 1, TimeoutSeconds: 5}
}

// patient makes a probe bear with a program that has not come up yet.
func patient(p *corev1.Probe) *corev1.Probe {
	p.FailureThreshold = 5
	return p
}

func TestProbes(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	serving := func(change func(c *corev1.Container)) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			c := &p.Spec.Containers[0]
			c.Ports = []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}}
			change(c)
		}
	}
	const steps = "write /tmp/well yes then serve :8080 then stay"
	notReady := func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning && !isReady(p) }
	for how, there := range exists {
		t.Run(how, func(t *testing.T) {
			s.ready(t, s.tool(t, how, steps, serving(func(c *corev1.Container) {
				c.ReadinessProbe, c.LivenessProbe = probe(there("/tmp/well")), patient(probe(there("/tool")))
			})))
			s.exec(t, how, "remove", "/tmp/well")
			s.until(t, how, "not ready", notReady)
			s.told(t, how, "Unhealthy: Readiness probe failed: ")
			s.exec(t, how, "write", "/tmp/well", "again")
			if p := s.until(t, how, "ready again", isReady); state(p, "c").RestartCount != 0 {
				t.Error("it was restarted")
			}
		})
	}
	t.Run("liveness", func(t *testing.T) {
		s.ready(t, s.tool(t, "liveness", steps, serving(func(c *corev1.Container) { c.LivenessProbe = patient(probe(exists["http"]("/tmp/well"))) })))
		s.exec(t, "liveness", "remove", "/tmp/well")
		s.until(t, "liveness", "restarted", func(p *corev1.Pod) bool { return state(p, "c").RestartCount > 0 && isReady(p) })
		s.told(t, "liveness", "Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503")
		s.told(t, "liveness", "Killing: Container c failed liveness probe, will be restarted")
	})
	t.Run("startup holds the others back", func(t *testing.T) {
		s.run(t, s.tool(t, "startup", "serve :8080 then stay", serving(func(c *corev1.Container) {
			c.StartupProbe, c.LivenessProbe = probe(exists["exec"]("/tmp/well")), probe(exists["http"]("/tmp/well"))
			c.StartupProbe.FailureThreshold = 120
		})))
		s.told(t, "startup", "Unhealthy: Startup probe failed: ")
		if p := s.pod(t, "startup"); isReady(p) || *state(p, "c").Started || state(p, "c").RestartCount != 0 {
			t.Errorf("before its startup probe: %+v", state(p, "c"))
		}
		s.exec(t, "startup", "write", "/tmp/well", "yes")
		if p := s.until(t, "startup", "ready", isReady); state(p, "c").RestartCount != 0 {
			t.Error("it was restarted")
		}
	})
	t.Run("tcp", func(t *testing.T) {
		s.ready(t, s.tool(t, "tcp", "serve :8080 then stay", serving(func(c *corev1.Container) {
			c.ReadinessProbe = probe(corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}})
		})))
		s.run(t, s.tool(t, "no-tcp", "stay", serving(func(c *corev1.Container) {
			c.ReadinessProbe = probe(corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}})
		})))
		s.told(t, "no-tcp", "Unhealthy: Readiness probe failed: dial tcp ")
	})
}
