package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/docker/dockertest/machine"
)

// outage is a trouble of the engine, and what it costs a pod.
type outage struct {
	name     string
	happen   func(t *testing.T, f *frontier)
	restarts int32 // of each container, in a new sandbox
}

func kills(t *testing.T, f *frontier) { f.KillEngine(t) }

func stops(t *testing.T, f *frontier) { f.StopEngine(t) }

// TestEngineAway: with live-restore an engine that comes back finds containers that nothing has happened to; without,
// each pod gets a new sandbox, and its containers are restarted once.
func TestEngineAway(t *testing.T) {
	t.Parallel()
	for _, liveRestore := range []bool{true, false} {
		t.Run(fmt.Sprintf("live-restore %t", liveRestore), func(t *testing.T) {
			t.Parallel()
			f := newFrontier(t, machine.Config{LiveRestore: liveRestore})
			cost := int32(1)
			if liveRestore {
				cost = 0
			}
			f.weather(t, []outage{
				{"killed", func(t *testing.T, f *frontier) { away(t, f, kills) }, cost},
				{"restarted", func(t *testing.T, f *frontier) { away(t, f, stops) }, cost},
			})
		})
	}
}

// away ends the engine, and starts it once the nodes have told that it is away.
func away(t *testing.T, f *frontier, end func(*testing.T, *frontier)) {
	t.Helper()
	end(t, f)
	f.awaitNotReady(t)
	f.StartEngine(t)
}

// TestEngineHangs: an engine that takes calls and answers none costs nothing, once it goes on.
func TestEngineHangs(t *testing.T) {
	t.Parallel()
	newFrontier(t, machine.Config{LiveRestore: true}).weather(t, []outage{
		{"hung", func(t *testing.T, f *frontier) {
			f.HangEngine(t)
			f.awaitNotReady(t)
			f.ResumeEngine(t)
		}, 0},
		{"hung, then killed", func(t *testing.T, f *frontier) {
			f.HangEngine(t)
			f.awaitNotReady(t)
			f.KillEngine(t)
			f.StartEngine(t)
		}, 0},
	})
}

// weather runs a pod on a node of either network, has the outages come one after the other, and sees what each has cost.
func (f *frontier) weather(t *testing.T, outages []outage) {
	t.Helper()
	var pods []*subject
	for _, network := range []string{"bridge", "netns"} {
		o := f.outpost(t, network)
		must(t, o.start())
		o.awaitReady(t)
		s := o.subject(t)
		s.name = o.node
		p := s.pod()
		p.Spec.Containers[0].LivenessProbe.ProbeHandler = exists["exec"]("/tool") // which an engine must not fail
		s.run(t, p)
		s.awaitRestarts(t, 0)
		pods = append(pods, s)
	}
	want := int32(0)
	for _, o := range outages {
		var before [][]string
		for _, s := range pods {
			before = append(before, s.containers(t))
		}
		o.happen(t, f)
		want += o.restarts
		for i, s := range pods {
			s.awaitReady(t)
			s.awaitSettled(t, o.name, want)
			if now := s.containers(t); o.restarts == 0 && strings.Join(now, " ") != strings.Join(before[i], " ") {
				t.Errorf("%s: there were\n%q\nand are\n%q", o.name, before[i], now)
			}
		}
	}
	for _, s := range pods {
		for _, event := range s.events(t, s.name) {
			if technical.MatchString(event) {
				t.Errorf("it was told in no plain words: %s", event)
			}
		}
		s.delete(t, s.name)
		s.awaitNothingLeft(t)
	}
}

// awaitSettled waits until the pod is well, and its agent has seen that: a sandbox and two containers, restarted so often.
func (s *subject) awaitSettled(t *testing.T, after string, restarts int32) {
	t.Helper()
	p := s.until(t, s.name, "ready after the engine was "+after, func(p *corev1.Pod) bool {
		return isReady(p) && state(p, "c").RestartCount >= restarts && s.runs(t, state(p, "c").ContainerID)
	})
	if c, first := state(p, "c").RestartCount, state(p, "first").RestartCount; c != restarts || first != restarts {
		t.Errorf("%s: restarted %d times, and its init container %d; want %d", after, c, first, restarts)
	}
	eventually(t, "no container but the pod's own", func() bool { return len(s.containers(t)) <= 3+int(min(restarts, 1))*2 })
}

func (s *subject) runs(t *testing.T, id string) bool {
	t.Helper()
	c, err := s.Engine.ContainerInspect(t.Context(), strings.TrimPrefix(id, "docker://"), client.ContainerInspectOptions{})
	return err == nil && c.Container.State.Running
}

// containers are the node's, running or not, with the moments of their starts.
func (o *outpost) containers(t *testing.T) []string {
	t.Helper()
	list, err := o.Engine.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", "leme.node="+o.node)})
	must(t, err)
	var all []string
	for _, c := range list.Items {
		there, err := o.Engine.ContainerInspect(t.Context(), c.ID, client.ContainerInspectOptions{})
		must(t, err)
		all = append(all, there.Container.Name+" since "+there.Container.State.StartedAt)
	}
	return all
}

// awaitNotReady waits until every node tells that its engine does not answer.
func (f *frontier) awaitNotReady(t *testing.T) {
	t.Helper()
	eventually(t, "nodes that tell of their engine", func() bool {
		list, err := f.client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		must(t, err)
		for i := range list.Items {
			if conditionOf(&list.Items[i], corev1.NodeReady).Status != corev1.ConditionFalse {
				return false
			}
		}
		return true
	})
	list, err := f.client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range list.Items {
		if m := conditionOf(&list.Items[i], corev1.NodeReady).Message; !strings.Contains(m, ": the container engine") || technical.MatchString(m) {
			t.Errorf("node %s is not ready: %s", list.Items[i].Name, m)
		}
	}
}
