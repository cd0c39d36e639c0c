package test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// sidecar makes a pod's first init container one that stays.
func sidecar(p *corev1.Pod) {
	p.Spec.InitContainers[0].RestartPolicy = ptr(corev1.ContainerRestartPolicyAlways)
}

// beside adds another container to a pod that does the steps.
func (s space) beside(t *testing.T, name, steps string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := s.tool(t, "", steps).Spec.Containers[0]
		c.Name = name
		p.Spec.Containers = append(p.Spec.Containers, c)
	}
}

// probed gives a pod's container a startup probe that notes each time it is asked, a readiness probe and a liveness probe.
func probed(p *corev1.Pod) {
	c := &p.Spec.Containers[0]
	c.StartupProbe = patient(probe(corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/tool", "write", "/data/asked", "startup"}}}))
	c.ReadinessProbe, c.LivenessProbe = probe(exists["exec"]("/data/asked")), patient(probe(exists["exec"]("/tool")))
}

// lookedInto brings an ephemeral container into a pod.
func (s space) lookedInto(t *testing.T, name, looker, steps string) {
	t.Helper()
	must(t, retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		p := s.pod(t, name)
		p.Spec.EphemeralContainers = append(p.Spec.EphemeralContainers, corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: looker, Image: p.Spec.Containers[0].Image, Args: strings.Fields(steps), TerminationMessagePath: "/end"}})
		_, err := s.client.CoreV1().Pods(s.namespace).UpdateEphemeralContainers(t.Context(), name, p, metav1.UpdateOptions{})
		return err
	}))
}

func ephemeral(p *corev1.Pod, name string) corev1.ContainerState {
	for _, s := range p.Status.EphemeralContainerStatuses {
		if s.Name == name {
			return s.State
		}
	}
	return corev1.ContainerState{}
}

// TestStatusOverRestarts kills the agent again and again: the next one has nothing to say of pods to which nothing has
// happened, and all there is to say of the others.
func TestStatusOverRestarts(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	_, agent := c.upApart(t)
	s := c.space(t, metav1.NamespaceDefault)
	data := mount("data", emptyDir)
	leaves := func(p *corev1.Pod) { p.Spec.Containers[0].TerminationMessagePath = "/end" }
	onFailure := func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }
	unready := func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe = probe(exists["exec"]("/none")) }
	asks := func(cpu string) func(p *corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
		}
	}
	settled := map[string]func(p *corev1.Pod) bool{}
	for _, one := range []struct {
		pod *corev1.Pod
		is  func(p *corev1.Pod) bool
	}{
		{s.tool(t, "probed", "stay", data, probed), isReady},
		{s.tool(t, "unready", "stay", unready), func(p *corev1.Pod) bool { return state(p, "c").State.Running != nil && len(s.events(t, "unready")) > 4 }},
		{s.tool(t, "restarted", "write /end goodbye then stay", leaves), isReady},
		{s.tool(t, "helped", "stay", s.initially(t, "side", "stay"), sidecar, s.initially(t, "first", "write /end done then exit 0")), isReady},
		{s.tool(t, "half", "exit 0", onFailure, s.beside(t, "d", "stay")), func(p *corev1.Pod) bool { return ended(p, "c") == "0 Completed" && state(p, "d").Ready }},
		{s.tool(t, "succeeded", "write /end fine then exit 0", never, leaves), func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded }},
		{s.tool(t, "failed", "write /end bad then exit 3", never, leaves), func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed }},
		{s.tool(t, "looked", "stay"), isReady},
		{s.tool(t, "larger", "stay", asks("10m")), isReady},
	} {
		s.run(t, one.pod)
		settled[one.pod.Name] = one.is
	}
	for name, is := range settled {
		s.until(t, name, "as it is to stay", is)
	}
	docker(t, "kill", s.runs(t, "restarted"))
	s.until(t, "restarted", "restarted", restartedOnce)
	s.lookedInto(t, "looked", "stays", "stay")
	s.lookedInto(t, "looked", "ends", "write /end seen then exit 0")
	s.until(t, "looked", "looked into", func(p *corev1.Pod) bool {
		return ephemeral(p, "stays").Running != nil && ephemeral(p, "ends").Terminated != nil
	})
	big := s.pod(t, "larger")
	asks("1000")(big)
	_, err := s.client.CoreV1().Pods(s.namespace).UpdateResize(t.Context(), "larger", big, metav1.UpdateOptions{})
	must(t, err)
	s.until(t, "larger", "told that its resize waits", func(p *corev1.Pod) bool { return len(p.Status.Conditions) > 5 })

	before := map[string]*corev1.Pod{}
	for name := range settled {
		before[name] = s.pod(t, name)
	}
	for _, marker := range []string{"one", "two"} {
		agent.kill(t)
		agent.start(t, c)
		s.ready(t, s.tool(t, marker, "stay")) // by then it has been at the others
		for name, was := range before {
			if is := s.pod(t, name); !equality.Semantic.DeepEqual(is.Status, was.Status) || is.ResourceVersion != was.ResourceVersion {
				t.Errorf("%s was told anew, version %s, before %s:\n%+v\nbefore\n%+v", name, is.ResourceVersion, was.ResourceVersion, is.Status, was.Status)
			}
		}
	}
	if asked := s.exec(t, "probed", "cat", "/data/asked"); strings.Count(asked, "startup") != 1 {
		t.Errorf("the startup probe has asked more than once: %s", asked)
	}
	if end := state(before["restarted"], "c").LastTerminationState.Terminated; end == nil || end.Message != "goodbye\n" || end.ExitCode != 137 {
		t.Errorf("the end before: %+v", end)
	}
}

// TestEndsWhileTheAgentIsAway has containers end, and pods be deleted, while nobody looks.
func TestEndsWhileTheAgentIsAway(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	_, agent := c.upApart(t)
	s := c.space(t, metav1.NamespaceDefault)
	onFailure := func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }
	leaves := func(p *corev1.Pod) {
		for i := range p.Spec.Containers {
			p.Spec.Containers[i].TerminationMessagePath = "/end"
		}
	}
	s.run(t, s.tool(t, "job", "told then write /end done then exit 0", never, leaves))
	s.run(t, s.tool(t, "helped", "told", never, s.initially(t, "side", "stay"), sidecar))
	s.run(t, s.tool(t, "bad", "told then write /end bad then exit 4", never, leaves))
	s.run(t, s.tool(t, "early", "stay", never, s.initially(t, "first", "told")))
	s.run(t, s.tool(t, "again", "told then write /end again then exit 5", onFailure, leaves))
	s.ready(t, s.tool(t, "lost", "stay", never))
	s.ready(t, s.tool(t, "deleted", "stay", withVolume))
	s.ready(t, s.tool(t, "forced", "stay", withVolume))
	s.ready(t, s.tool(t, "looked", "stay"))
	s.lookedInto(t, "looked", "looks", "told then write /end seen then exit 6")
	s.until(t, "looked", "looked into", func(p *corev1.Pod) bool { return ephemeral(p, "looks").Running != nil })
	names := map[string]string{"job": "c", "helped": "c", "bad": "c", "early": "first", "again": "c", "looked": "looks"}
	for pod, container := range names {
		s.until(t, pod, "running", func(p *corev1.Pod) bool {
			return state(p, container).State.Running != nil || ephemeral(p, container).Running != nil
		})
		eventually(t, pod+" waits to be told", func() bool { return strings.Contains(s.log(t, pod, container), "waiting") })
	}

	agent.kill(t)
	for pod, container := range names {
		for _, name := range runningContainers(t, c, pod) {
			if strings.HasPrefix(name, "leme_"+container+"_") {
				docker(t, "kill", "-s", "USR1", name)
				docker(t, "wait", name)
			}
		}
	}
	docker(t, "rm", "-f", s.runs(t, "lost"))
	api := s.client.CoreV1().Pods(s.namespace)
	must(t, api.Delete(t.Context(), "deleted", metav1.DeleteOptions{}))
	must(t, api.Delete(t.Context(), "forced", metav1.DeleteOptions{GracePeriodSeconds: ptr(int64(0))}))
	agent.start(t, c)

	phase := func(want corev1.PodPhase) func(*corev1.Pod) bool {
		return func(p *corev1.Pod) bool { return p.Status.Phase == want }
	}
	for _, one := range []struct {
		pod, container, end, message string
		is                           func(*corev1.Pod) bool
		restarts                     int32
	}{
		{"job", "c", "0 Completed", "done\n", phase(corev1.PodSucceeded), 0},
		{"helped", "c", "0 Completed", "", phase(corev1.PodSucceeded), 0},
		{"bad", "c", "4 Error", "bad\n", phase(corev1.PodFailed), 0},
		{"early", "first", "0 Completed", "", isReady, 0},
		{"again", "c", "5 Error", "again\n", func(p *corev1.Pod) bool { return state(p, "c").RestartCount > 0 && state(p, "c").Ready }, 1},
		{"lost", "c", "137 ContainerStatusUnknown", "The container could not be located when the pod was terminated", phase(corev1.PodFailed), 0},
	} {
		p := s.until(t, one.pod, "told of", one.is)
		c := state(p, one.container)
		end := c.State.Terminated
		if end == nil {
			end = c.LastTerminationState.Terminated
		}
		if got := ended(p, one.container); got != one.end || end.Message != one.message || c.RestartCount != one.restarts || end.StartedAt.IsZero() {
			t.Errorf("%s: %s %q, %d restarts: %+v", one.pod, got, end.Message, c.RestartCount, c)
		}
	}
	p := s.until(t, "looked", "looked into", func(p *corev1.Pod) bool { return ephemeral(p, "looks").Terminated != nil })
	if end := ephemeral(p, "looks").Terminated; end.ExitCode != 6 || end.Message != "seen\n" || !isReady(p) {
		t.Errorf("looked into: %+v", p.Status)
	}
	s.exact(t, "early", "again", "looked")
	must(t, api.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	c.awaitNothingLeft(t)
	_, err := api.Get(t.Context(), "deleted", metav1.GetOptions{})
	if err == nil {
		t.Error("what was deleted is still there")
	}
}
