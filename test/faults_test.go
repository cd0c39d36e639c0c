package test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// exact waits until each pod on the list has one sandbox and one container that run, and the node runs nothing else.
func (s space) exact(t *testing.T, pods ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("a sandbox and a container for each of %q", pods), func() bool {
		names := runningContainers(t, s.cluster, "")
		for _, pod := range pods {
			for _, container := range []string{"POD", "c"} {
				prefix := fmt.Sprintf("leme_%s_%s_%s_", container, pod, s.namespace)
				if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, prefix) }); i >= 0 {
					names = slices.Delete(names, i, i+1)
				} else {
					return false
				}
			}
		}
		return len(names) == 0
	})
}

// withVolume gives a pod what its agent has to mount and to clean up.
func withVolume(p *corev1.Pod) {
	mount("memory", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}})(p)
	c := &p.Spec.Containers[0]
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "memory", MountPath: "/part", SubPath: "part"},
		corev1.VolumeMount{Name: "memory", MountPath: "/sealed", ReadOnly: true, RecursiveReadOnly: ptr(corev1.RecursiveReadOnlyIfPossible)})
}

// TestChurn kills the agent and the server at random moments while pods come and go. In the end there is what was
// asked for, and of the rest nothing.
func TestChurn(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	server, agent := c.upApart(t)
	s := c.space(t, metav1.NamespaceDefault)
	s.ready(t, s.tool(t, "first", "stay", withVolume)) // its image is there for all that follow

	const rounds, seed1, seed2 = 12, 3, 5
	dice := rand.New(rand.NewPCG(seed1, seed2))
	anyMoment := func() { <-time.After(time.Duration(dice.IntN(900)) * time.Millisecond) }
	for round := range rounds {
		for i := range 2 {
			s.run(t, s.tool(t, fmt.Sprintf("pod-%d-%d", round, i), "stay", withVolume))
		}
		if round > 0 {
			gone := fmt.Sprintf("pod-%d-0", round-1)
			must(t, s.client.CoreV1().Pods(s.namespace).Delete(t.Context(), gone, metav1.DeleteOptions{}))
		}
		anyMoment()
		agent.kill(t)
		if round%3 == 2 {
			server.kill(t)
			server.start(t, c)
			s.awaitServer(t)
		}
		agent.start(t, c)
	}
	var wanted []string
	list, err := s.client.CoreV1().Pods(s.namespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range list.Items {
		if list.Items[i].DeletionTimestamp == nil {
			wanted = append(wanted, list.Items[i].Name)
			s.until(t, list.Items[i].Name, "ready", isReady)
		}
	}
	s.exact(t, wanted...)
	must(t, s.client.CoreV1().Pods(s.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	c.awaitNothingLeft(t)
}

// TestTampering does to containers what only the agent should.
func TestTampering(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	must(t, c.up())
	s := c.space(t, metav1.NamespaceDefault)
	s.ready(t, s.tool(t, "victim", "stay", withVolume))
	one := func(prefix string) string {
		names := runningContainers(t, c, "victim")
		i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, prefix) })
		if i < 0 {
			t.Fatalf("no container %s… among %q", prefix, names)
		}
		return names[i]
	}
	for _, act := range []struct {
		name, victim string
		args         []string
		restarts     int32
	}{
		{"a container is removed", "leme_c_", []string{"rm", "-f"}, 1},
		{"a container is stopped", "leme_c_", []string{"stop", "-t", "1"}, 1},
		{"a sandbox is killed", "leme_POD_", []string{"kill"}, 1},
		{"a sandbox is removed", "leme_POD_", []string{"rm", "-f"}, 1},
	} {
		before := state(s.pod(t, "victim"), "c").RestartCount
		docker(t, append(act.args, one(act.victim))...)
		s.until(t, "victim", "ready again after "+act.name, func(p *corev1.Pod) bool {
			return isReady(p) && state(p, "c").RestartCount == before+act.restarts
		})
		s.exact(t, "victim")
	}
	t.Run("a container is renamed", func(t *testing.T) {
		docker(t, "rename", one("leme_c_"), c.node+"-renamed")
		docker(t, "kill", c.node+"-renamed")
		before := state(s.pod(t, "victim"), "c").RestartCount
		s.until(t, "victim", "ready again", func(p *corev1.Pod) bool { return isReady(p) && state(p, "c").RestartCount == before+1 })
		s.exact(t, "victim")
	})
	s.delete(t, "victim")
	c.awaitNothingLeft(t)
}

// TestAgentAlone has the agent run without a server: before there is one, and while it is away; and the server
// without the agent.
func TestAgentAlone(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	c.server = append(c.server, "--node-monitor-grace-period", "15s")
	server, agent := c.apart(t)
	server.start(t, c)
	c.awaitAgentsKubeconfig(t)
	server.kill(t)
	agent.start(t, c)
	server.start(t, c)
	c.awaitNode(t, "Ready")
	s := c.space(t, metav1.NamespaceDefault)
	s.ready(t, s.tool(t, "pod", "stay"))
	s.exact(t, "pod")

	server.kill(t)
	before := runningContainers(t, c, "pod")
	docker(t, "kill", before[slices.IndexFunc(before, func(n string) bool { return strings.HasPrefix(n, "leme_c_") })])
	eventually(t, "another container in its place, with no server to ask", func() bool {
		now := runningContainers(t, c, "pod")
		return len(now) == 2 && !slices.Equal(now, before)
	})
	server.start(t, c)
	p := s.awaitServer(t).until(t, "pod", "told of as restarted", func(p *corev1.Pod) bool { return isReady(p) && state(p, "c").RestartCount == 1 })
	if got := ended(p, "c"); got != "137 Error" {
		t.Errorf("it ended with %s", got)
	}
	s.exact(t, "pod")

	agent.kill(t)
	c.awaitNode(t, "NotReady")
	s.until(t, "pod", "not ready while nobody knows", func(p *corev1.Pod) bool { return !isReady(p) })
	agent.start(t, c)
	c.awaitNode(t, "Ready")
	s.until(t, "pod", "ready again", isReady)
	s.exact(t, "pod")
}

// awaitServer waits until the server answers.
func (s space) awaitServer(t *testing.T) space {
	t.Helper()
	eventually(t, "a server that answers", func() bool {
		_, err := s.client.CoreV1().Pods(s.namespace).List(t.Context(), metav1.ListOptions{})
		return err == nil
	})
	return s
}

// TestManyAtOnce creates and deletes as many pods at once as a node may have, and stops the cluster under others: nothing
// is left, neither on the machine nor in the process.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	must(t, c.up())
	s := c.space(t, metav1.NamespaceDefault)
	const many = 110
	s.ready(t, s.tool(t, "before", "stay", withVolume))
	s.delete(t, "before")
	goroutines, files := s.usage(t)
	for i := range many {
		s.run(t, s.tool(t, fmt.Sprint("pod-", i), "stay", withVolume))
	}
	eventually(t, "all of them ready", func() bool {
		list, err := s.client.CoreV1().Pods(s.namespace).List(t.Context(), metav1.ListOptions{})
		must(t, err)
		ready := 0
		for i := range list.Items {
			if isReady(&list.Items[i]) {
				ready++
			}
		}
		return ready == many
	})
	must(t, s.client.CoreV1().Pods(s.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	c.awaitNothingLeft(t)
	eventually(t, "as few goroutines and open files as before", func() bool {
		const others = many / 4 // connections come and go
		g, f := s.usage(t)
		return g < goroutines+others && f < files+others
	})

	for range 2 {
		s.ready(t, s.tool(t, "last", "stay", withVolume))
		c.must(t, append([]string{"down"}, c.nodeFlags()...)...)
		c.awaitNothingLeft(t)
		if out := docker(t, "network", "ls", "-q", "--filter", "name="+c.network()); out != "" {
			t.Errorf("the network is still there: %s", out)
		}
		must(t, c.up())
		s.awaitServer(t).until(t, "last", "ready", isReady) // what was asked for is kept
		s.delete(t, "last")
	}
}

// usage is how many goroutines and open files the cluster's process has.
func (s space) usage(t *testing.T) (goroutines, files float64) {
	t.Helper()
	text, err := s.client.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	must(t, err)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "go_goroutines":
			goroutines, err = strconv.ParseFloat(value, 64)
		case "process_open_fds":
			files, err = strconv.ParseFloat(value, 64)
		}
		must(t, err)
	}
	if goroutines == 0 || files == 0 {
		t.Fatal("the process does not tell")
	}
	return goroutines, files
}
