package test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestHooks: the kinds of lifecycle hooks, beside commands.
func TestHooks(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	hooked := func(l corev1.Lifecycle) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.TerminationGracePeriodSeconds, p.Spec.Containers[0].Lifecycle = ptr(int64(20)), &l
		}
	}
	t.Run("sleep", func(t *testing.T) {
		s.ready(t, s.tool(t, "sleeper", "stay", hooked(corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 2}}})))
		begin := time.Now()
		s.delete(t, "sleeper")
		if took := time.Since(begin); took < 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("a request", func(t *testing.T) {
		get := &corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/file/none", Port: intstr.FromInt32(8080)}}
		s.ready(t, s.tool(t, "caller", "serve :8080 then stay", hooked(corev1.Lifecycle{PreStop: get})))
		s.delete(t, "caller")
		for _, event := range s.events(t, "caller") {
			if event == "FailedPreStopHook" {
				t.Error("an answer was not enough")
			}
		}
	})
	t.Run("a connection", func(t *testing.T) {
		connect := &corev1.LifecycleHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}
		s.run(t, s.tool(t, "connects", "serve :8080 then stay", hooked(corev1.Lifecycle{PostStart: connect})))
		s.told(t, "connects", "FailedPostStartHook: PostStartHook failed: invalid handler")
	})
	t.Run("a signal", func(t *testing.T) {
		s.run(t, s.tool(t, "signalled", "told then exit 7", func(p *corev1.Pod) {
			p.Spec.OS = &corev1.PodOS{Name: corev1.Linux}
			c := &p.Spec.Containers[0]
			c.Lifecycle = &corev1.Lifecycle{StopSignal: ptr(corev1.SIGUSR1)}
			c.LivenessProbe = probe(exists["exec"]("/none"))
			c.LivenessProbe.InitialDelaySeconds = 1
		}))
		p := s.until(t, "signalled", "restarted", func(p *corev1.Pod) bool { return state(p, "c").RestartCount > 0 })
		if got := ended(p, "c"); got != "7 Error" {
			t.Errorf("it ended with %s", got)
		}
	})
}

// TestRestartRules: containers with policies of their own, and exceptions by exit code.
func TestRestartRules(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	rules := func(action corev1.ContainerRestartRuleAction, code int32) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			c := &p.Spec.Containers[0]
			c.RestartPolicy = ptr(corev1.ContainerRestartPolicyNever)
			c.RestartPolicyRules = []corev1.ContainerRestartRule{{Action: action, ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{
				Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{code}}}}
		}
	}
	t.Run("its own policy", func(t *testing.T) {
		p := s.finished(t, s.tool(t, "once", "exit 4", rules(corev1.ContainerRestartRuleActionRestart, 3)))
		if p.Status.Phase != corev1.PodFailed || state(p, "c").RestartCount != 0 {
			t.Errorf("the pod is %s: %+v", p.Status.Phase, p.Status.ContainerStatuses)
		}
	})
	t.Run("again", func(t *testing.T) {
		s.run(t, s.tool(t, "again", "exit 3", never, rules(corev1.ContainerRestartRuleActionRestart, 3)))
		s.until(t, "again", "restarted", func(p *corev1.Pod) bool { return state(p, "c").RestartCount > 0 })
		s.delete(t, "again")
	})
	t.Run("all of them", func(t *testing.T) {
		sidecar := func(p *corev1.Pod) {
			p.Spec.InitContainers[1].RestartPolicy = ptr(corev1.ContainerRestartPolicyAlways)
		}
		s.run(t, s.tool(t, "all", "cat /data/log then exit 3", never, mount("data", emptyDir), s.initially(t, "first", "write /data/log again"),
			s.initially(t, "side", "stay"), sidecar, rules(corev1.ContainerRestartRuleActionRestartAllContainers, 3)))
		p := s.until(t, "all", "restarted twice", func(p *corev1.Pod) bool {
			return state(p, "first").RestartCount > 1 && state(p, "side").RestartCount > 1 && state(p, "c").RestartCount > 1
		})
		if p.Status.Phase == corev1.PodFailed {
			t.Error("the pod has failed")
		}
		s.delete(t, "all")
	})
}

// TestCommands: what a command finds in its container, and a probe's.
func TestCommands(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	t.Run("a directory of its own", func(t *testing.T) {
		s.finished(t, s.tool(t, "there", "write here x then cat /data/here", never, mount("data", emptyDir), func(p *corev1.Pod) { p.Spec.Containers[0].WorkingDir = "/data" }))
		same(t, "the log", s.log(t, "there", "c"), "x")
	})
	t.Run("variables from a file", func(t *testing.T) {
		s.finished(t, s.tool(t, "file", "env WORDS NONE", never, mount("vars", emptyDir), s.initially(t, "first", "write /vars/env WORDS='from a file'"), func(p *corev1.Pod) {
			ref := corev1.FileKeySelector{VolumeName: "vars", Path: "env", Key: "WORDS"}
			none := ref
			none.Key, none.Optional = "NONE", ptr(true)
			p.Spec.Containers[0].Env = []corev1.EnvVar{
				{Name: "WORDS", ValueFrom: &corev1.EnvVarSource{FileKeyRef: &ref}}, {Name: "NONE", ValueFrom: &corev1.EnvVarSource{FileKeyRef: &none}},
			}
		}))
		same(t, "the log", s.log(t, "file", "c"), "WORDS=from a file", "NONE=(not set)")
	})
	t.Run("a probe's", func(t *testing.T) {
		s.ready(t, s.tool(t, "probed", "stay", func(p *corev1.Pod) {
			c := &p.Spec.Containers[0]
			c.Env = []corev1.EnvVar{{Name: "FILE", Value: "/tool"}}
			c.ReadinessProbe = probe(exists["exec"]("$(FILE)"))
		}))
	})
}
