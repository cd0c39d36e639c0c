package test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// docker runs the engine's own client.
func docker(t testing.TB, args ...string) string {
	t.Helper()
	return output(t, func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, "docker", args...) })
}

// removesImage takes a name away from the engine when the test ends.
func removesImage(t *testing.T, name string) {
	t.Helper()
	t.Cleanup(func() { // what could not be removed was not there
		_ = exec.CommandContext(context.WithoutCancel(t.Context()), "docker", "image", "rm", "-f", name).Run()
	})
}

// runningContainers are the node's by name, of one pod or of all.
func runningContainers(t *testing.T, c *cluster, pod string) []string {
	t.Helper()
	args := []string{"ps", "--no-trunc", "--format", "{{.Names}}", "--filter", "label=leme.node=" + c.node}
	if pod != "" {
		args = append(args, "--filter", "label=leme.pod.name="+pod)
	}
	return slices.Sorted(strings.FieldsSeq(docker(t, args...)))
}

// containersOf lists the engine's containers, running or not, of a namespace's pods on the cluster's node.
func containersOf(t *testing.T, c *cluster, namespace string) []string {
	t.Helper()
	return strings.Fields(docker(t, "ps", "-a", "--format", "{{.Names}}",
		"--filter", "label=leme.node="+c.node, "--filter", "label=leme.pod.namespace="+namespace))
}

// left lists what pods have left on this machine, whatever the API says: containers, endpoints of the network and
// interfaces of its bridge, directories and mounts.
func (c *cluster) left(t *testing.T) []string {
	t.Helper()
	left := strings.Fields(docker(t, "ps", "-aq", "--filter", "label=leme.node="+c.node))
	if networks := docker(t, "network", "ls", "-q", "--filter", "name="+c.network()); networks != "" {
		var there []struct{ Containers map[string]any }
		must(t, json.Unmarshal([]byte(docker(t, "network", "inspect", c.network())), &there))
		for id := range there[0].Containers {
			left = append(left, "endpoint "+id)
		}
	}
	interfaces, err := filepath.Glob(filepath.Join("/sys/class/net", c.bridge(), "brif", "*"))
	must(t, err)
	left = append(left, interfaces...)
	dirs, err := filepath.Glob(filepath.Join(c.home, "agent", "pods", "*"))
	must(t, err)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, c.home) {
			left = append(left, "mount "+line)
		}
	}
	return append(left, dirs...)
}

func (c *cluster) awaitNothingLeft(t *testing.T) {
	t.Helper()
	awaitNothing(t, c.left)
}

// awaitNothing waits until nothing is left of any pod, and tells what is when it has waited in vain.
func awaitNothing(t *testing.T, remains func(*testing.T) []string) {
	t.Helper()
	var left []string
	defer func() {
		if t.Failed() {
			t.Logf("left: %q", left)
		}
	}()
	eventually(t, "nothing left of any pod", func() bool {
		left = remains(t)
		return len(left) == 0
	})
}

// killOne kills one of the containers whose names begin so.
func killOne(t *testing.T, c *cluster, dice *rand.Rand, prefix string) {
	t.Helper()
	victims := slices.DeleteFunc(runningContainers(t, c, ""), func(name string) bool { return !strings.HasPrefix(name, prefix) })
	if len(victims) == 0 {
		t.Fatalf("no container %s… to kill", prefix)
	}
	docker(t, "kill", victims[dice.IntN(len(victims))])
}
