package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/docker/dockertest/machine"
)

// TestProcessTableFull lets nobody on a node make another process: first none of the containers, then neither the engine nor
// the agent, which may end for it and are started again as whoever keeps them does. What runs runs on, what cannot is told
// of, and once there is room all is as it should be.
func TestProcessTableFull(t *testing.T) {
	t.Parallel()
	f := newFrontier(t, machine.Config{LiveRestore: true})
	o := f.outpost(t, "netns")
	must(t, o.start())
	o.awaitReady(t)
	s := o.subject(t)
	asked := func(p *corev1.Pod) { // by a process in the container
		c := &p.Spec.Containers[0]
		c.ReadinessProbe, c.LivenessProbe = probe(exists["exec"]("/tool")), probe(exists["exec"]("/tool"))
		c.LivenessProbe.FailureThreshold = 120 // its program may begin, and find itself without threads
	}
	plain := func(name string, changes ...func(*corev1.Pod)) *corev1.Pod {
		p := s.pod()
		p.Name, p.Spec.Resources, p.Spec.InitContainers = name, nil, nil
		c := &p.Spec.Containers[0]
		c.Ports, c.ReadinessProbe, c.LivenessProbe, c.Lifecycle = nil, nil, nil, nil
		for _, change := range changes {
			change(p)
		}
		return p
	}
	s.run(t, plain("asked", asked))
	s.run(t, plain("killed"))
	s.until(t, "asked", "ready", isReady)
	killed := s.until(t, "killed", "ready", isReady)

	for round, full := range []func(testing.TB) func(){f.FillContainers, f.FillProcesses} {
		late := []string{"late", "later"}[round]
		free := full(t)
		s.run(t, plain(late))
		if round == 0 {
			s.told(t, "asked", "Unhealthy: Liveness probe ")
			s.until(t, late, "failing, for a reason that it tells", func(*corev1.Pod) bool {
				return slices.ContainsFunc(s.events(t, late), func(e string) bool { return strings.HasPrefix(e, "Failed") || strings.HasPrefix(e, "BackOff") })
			})
			_, err := s.Engine.ContainerKill(t.Context(), strings.TrimPrefix(state(killed, "c").ContainerID, "docker://"), client.ContainerKillOptions{Signal: "KILL"})
			must(t, err)
			s.until(t, "killed", "told of as ended", func(p *corev1.Pod) bool { return ended(p, "c") == "137 Error" })
		} else {
			s.until(t, late, "not running", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodPending })
			o.again() // and an agent begins without a process to spare
		}
		free()
		f.ReviveEngine(t)
		o.revive(t)
		s.until(t, late, "ready", isReady)
		if p := s.until(t, "asked", "ready", isReady); state(p, "c").RestartCount != 0 {
			t.Errorf("it was restarted: %+v", p.Status.ContainerStatuses)
		}
		s.until(t, "killed", "ready again", func(p *corev1.Pod) bool { return isReady(p) && state(p, "c").RestartCount > 0 })
	}
	must(t, s.client.CoreV1().Pods(s.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	o.awaitNothingLeft(t)
}
