package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestOlderState has the server come back with a backup, under an agent that knows what came after it: the node runs what
// that says, and the API hears how it goes there.
func TestOlderState(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	server, agent := c.upApart(t)
	s := c.space(t, metav1.NamespaceDefault)
	s.ready(t, s.tool(t, "stays", "stay", withVolume))
	s.ready(t, s.tool(t, "goes", "stay", withVolume))
	s.run(t, s.tool(t, "once", "told", never))
	s.until(t, "once", "running", func(p *corev1.Pod) bool { return state(p, "c").State.Running != nil })
	eventually(t, "once waits to be told", func() bool { return strings.Contains(s.log(t, "once", "c"), "waiting") })

	stored := filepath.Join(c.home, "etcd", "member")
	backup := filepath.Join(t.TempDir(), "member")
	server.kill(t)
	must(t, os.CopyFS(backup, os.DirFS(stored)))
	server.start(t, c)
	s.awaitServer(t).ready(t, s.tool(t, "later", "stay", withVolume))
	s.delete(t, "goes")
	docker(t, "kill", "-s", "USR1", s.runs(t, "once"))
	s.until(t, "once", "succeeded", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
	docker(t, "kill", s.runs(t, "stays"))
	s.until(t, "stays", "restarted", restartedOnce)
	s.exact(t, "stays", "later")

	server.kill(t)
	must(t, os.RemoveAll(stored))
	must(t, os.CopyFS(stored, os.DirFS(backup)))
	server.start(t, c)
	s.awaitServer(t)
	s.until(t, "stays", "told of as restarted", restartedOnce)
	s.until(t, "goes", "started again", restartedOnce)
	if p := s.until(t, "once", "succeeded", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded }); ended(p, "c") != "0 Completed" {
		t.Errorf("what had ended is told of as %+v", p.Status.ContainerStatuses)
	}
	s.exact(t, "stays", "goes")

	agent.kill(t) // the next one finds nothing to do
	agent.start(t, c)
	s.ready(t, s.tool(t, "new", "stay"))
	s.exact(t, "stays", "goes", "new")
	must(t, s.client.CoreV1().Pods(s.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	c.awaitNothingLeft(t)
}

func restartedOnce(p *corev1.Pod) bool { return isReady(p) && state(p, "c").RestartCount == 1 }

// runs is the name under which the engine runs a pod's container.
func (s space) runs(t *testing.T, pod string) string {
	t.Helper()
	names := runningContainers(t, s.cluster, pod)
	i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "leme_c_") })
	if i < 0 {
		t.Fatalf("no container of %s among %q", pod, names)
	}
	return names[i]
}
