package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTamperingOnce does to one pod each what only the agent should, with the engine's own tools and the host's: the pod is
// as it should be afterwards, and restarted no more often than it must be.
func TestTamperingOnce(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	must(t, c.up())
	s := c.space(t, metav1.NamespaceDefault)
	acts := []struct {
		name     string
		do       func(t *testing.T, pod victim)
		restarts int32
	}{
		{"held", func(t *testing.T, v victim) {
			docker(t, "pause", v.container(t, "c"))
			s.until(t, v.name, "not ready", func(p *corev1.Pod) bool { return !isReady(p) && state(p, "c").State.Running != nil })
			docker(t, "unpause", v.container(t, "c"))
		}, 0},
		{"sandbox-held", func(t *testing.T, v victim) {
			docker(t, "pause", v.container(t, "POD"))
			docker(t, "kill", v.container(t, "c"))
		}, 1},
		{"started-again", func(t *testing.T, v victim) {
			first := v.container(t, "c")
			docker(t, "kill", first)
			s.until(t, v.name, "restarted", restartedOnce)
			docker(t, "start", first)
		}, 1},
		{"restarted", func(t *testing.T, v victim) { docker(t, "restart", "-t", "1", v.container(t, "c")) }, 1},
		{"volumes-removed", func(t *testing.T, v victim) {
			volumes, err := filepath.Glob(filepath.Join(v.dir, "volumes", "*"))
			must(t, err)
			for _, volume := range volumes {
				must(t, unix.Unmount(volume, unix.MNT_DETACH))
			}
			must(t, os.RemoveAll(filepath.Join(v.dir, "volumes")))
			docker(t, "kill", v.container(t, "c"))
		}, 1},
		{"memory-unmounted", func(t *testing.T, v victim) {
			must(t, unix.Unmount(filepath.Join(v.dir, "volumes", "memory"), unix.MNT_DETACH))
			docker(t, "kill", v.container(t, "c"))
		}, 1},
		{"files-garbled", func(t *testing.T, v victim) {
			for _, name := range []string{"hosts", "resolv.conf", "containers"} {
				must(t, os.RemoveAll(filepath.Join(v.dir, name)))
				must(t, os.Symlink("/proc/self/nowhere", filepath.Join(v.dir, name)))
			}
			docker(t, "kill", v.container(t, "c"))
		}, 1},
	}
	t.Run("apart", func(t *testing.T) {
		for _, one := range acts {
			t.Run(one.name, func(t *testing.T) {
				t.Parallel()
				p := s.ready(t, s.tool(t, one.name, "stay", withVolume))
				v := victim{c, one.name, filepath.Join(c.home, "agent", "pods", string(p.UID))}
				one.do(t, v)
				least, most := one.restarts, one.restarts
				if one.name == "restarted" {
					least = 0 // the engine may be quicker than the agent
				}
				s.until(t, one.name, "ready again", func(p *corev1.Pod) bool { return isReady(p) && state(p, "c").RestartCount >= least })
				eventually(t, "one sandbox and one container", func() bool { return len(runningContainers(t, c, one.name)) == 2 })
				if got := state(s.pod(t, one.name), "c").RestartCount; got < least || got > most {
					t.Errorf("restarted %d times, want %d", got, one.restarts)
				}
				if kind := s.exec(t, one.name, "fs", "/memory"); !strings.HasPrefix(kind, "memory") {
					t.Errorf("its memory is on %s", kind)
				}
				s.delete(t, one.name)
			})
		}
	})
	t.Run("pruned", func(t *testing.T) {
		s.run(t, s.tool(t, "pruned", "exit 3", never, s.beside(t, "d", "stay")))
		s.until(t, "pruned", "half over", func(p *corev1.Pod) bool { return ended(p, "c") == "3 Error" && state(p, "d").Ready })
		dead := slices.DeleteFunc(containersOf(t, c, s.namespace), func(name string) bool { return !strings.HasPrefix(name, "leme_c_pruned_") })
		docker(t, append([]string{"rm"}, dead...)...)
		docker(t, "kill", victim{cluster: c, name: "pruned"}.container(t, "d")) // by its end the agent has looked again
		p := s.until(t, "pruned", "over", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if ended(p, "c") != "3 Error" || state(p, "c").RestartCount != 0 {
			t.Errorf("what had ended: %+v", state(p, "c"))
		}
		s.delete(t, "pruned")
	})
	c.awaitNothingLeft(t)
}

// victim is a pod that is tampered with.
type victim struct {
	*cluster
	name, dir string
}

// container is the name under which the engine runs one.
func (v victim) container(t *testing.T, name string) string {
	t.Helper()
	names := runningContainers(t, v.cluster, v.name)
	i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "leme_"+name+"_") })
	if i < 0 {
		t.Fatalf("no container %s among %q", name, names)
	}
	return names[i]
}
