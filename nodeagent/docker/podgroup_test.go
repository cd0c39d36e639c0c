package docker_test

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/pod"
)

// TestPodGroup: a pod's containers are held to its memory together, though each of them stays below it.
func TestPodGroup(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	host, err := n.Host(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !host.PodGroups {
		t.Skip("this host has no groups for pods")
	}
	p := n.Pod("together", "memory", "40")
	p.Spec.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}}
	if err := n.HoldPod(t.Context(), p.UID, pod.ShareOf(*p.Spec.Resources)); err != nil {
		t.Fatal(err)
	}
	groups := func() []string {
		found, err := filepath.Glob("/sys/fs/cgroup/*/leme/pod" + string(p.UID))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat("/sys/fs/cgroup/leme/pod" + string(p.UID)); err == nil {
			found = append(found, "/sys/fs/cgroup")
		}
		return found
	}
	if len(groups()) == 0 {
		t.Fatal("there is no group")
	}
	sandbox := n.Sandbox(t, p)
	var ids []string
	for _, name := range []string{"one", "two"} {
		spec := n.Spec(p, sandbox.ID)
		spec.Container.Name = name
		id, err := n.Create(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	dockertest.Eventually(t, func() bool {
		for _, id := range ids {
			if c, ok := n.Find(t, id); ok && c.State == pod.Exited && c.ExitCode == 137 {
				return true
			}
		}
		return false
	})
	for _, id := range append(ids, sandbox.ID) {
		if err := n.Remove(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	for range 2 { // the second finds nothing
		if err := n.ReleasePod(t.Context(), p.UID); err != nil {
			t.Error(err)
		}
	}
	if left := groups(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
