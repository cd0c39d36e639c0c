package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestKills kills a container, the agent or the server, at any moment, twenty times over: each time the
// Deployment is back to two ready replicas, with no orphan and no duplicate.
func TestKills(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	server, agent := c.apart(t)
	server.start(t, c)
	c.awaitAgentsKubeconfig(t)
	agent.start(t, c)
	c.awaitNode(t, "Ready")
	c.must(t, "image", "push", filepath.Join(c.bin, "hello.tar"), "hello:1.0")
	deployHello(t, c, "default")
	long := strings.TrimSpace(c.must(t, "run", "bystander", "--image=registry.leme/hello:1.0"))
	t.Log(long)
	c.must(t, "wait", "pod/bystander", "--for=condition=Ready", "--timeout="+patience.String())
	bystander := runningContainers(t, c, "bystander")

	const seed1, seed2 = 7, 11
	dice := rand.New(rand.NewPCG(seed1, seed2))
	kills := []struct {
		name string
		kill func()
	}{
		{"container", func() { killContainer(t, c, dice) }},
		{"sandbox", func() { killSandbox(t, c, dice) }},
		{"agent", func() { agent.kill(t); agent.start(t, c) }},
		{"server", func() { server.kill(t); server.start(t, c) }},
		{"container, then agent", func() { killContainer(t, c, dice); agent.kill(t); agent.start(t, c) }},
	}
	for round := range 20 {
		k := kills[round%len(kills)]
		k.kill()
		eventually(t, fmt.Sprintf("round %d (%s): two ready replicas and nothing else", round, k.name), func() bool { return settled(t, c) })
	}
	if now := runningContainers(t, c, "bystander"); !slices.Equal(now, bystander) {
		t.Errorf("a pod that nobody touched had containers %v, now has %v", bystander, now)
	}
}

// settled says that the API shows two ready pods of the Deployment, and the engine runs just their containers and the bystander's.
func settled(t *testing.T, c *cluster) bool {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ready, err := c.command(ctx, "get", "deployment", "hello", "-o", "jsonpath={.status.readyReplicas}/{.status.replicas}").Output()
	if err != nil || string(ready) != "2/2" {
		return false
	}
	pods, err := c.command(ctx, "get", "pods", "-o", `jsonpath={range .items[*]}{.metadata.uid} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`).Output()
	if err != nil || strings.Count(string(pods), " True") != 3 || strings.Count(string(pods), "\n") != 3 {
		return false
	}
	running := runningContainers(t, c, "")
	for _, line := range strings.Split(strings.TrimSpace(string(pods)), "\n") {
		uid, _, _ := strings.Cut(line, " ")
		of := 0
		for _, name := range running {
			if strings.Contains(name, uid) {
				of++
			}
		}
		if of != 2 { // a sandbox and a container
			return false
		}
	}
	return len(running) == 6
}

// runningContainers are the node's by name, of one pod or of all.
func runningContainers(t *testing.T, c *cluster, pod string) []string {
	t.Helper()
	args := []string{"ps", "--no-trunc", "--format", "{{.Names}}", "--filter", "label=leme.node=" + c.node}
	if pod != "" {
		args = append(args, "--filter", "label=leme.pod.name="+pod)
	}
	names := strings.Fields(output(t, func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, "docker", args...) }))
	slices.Sort(names)
	return names
}

func killContainer(t *testing.T, c *cluster, dice *rand.Rand) { killOne(t, c, dice, "leme_hello_") }
func killSandbox(t *testing.T, c *cluster, dice *rand.Rand)   { killOne(t, c, dice, "leme_POD_hello-") }

func killOne(t *testing.T, c *cluster, dice *rand.Rand, prefix string) {
	t.Helper()
	var victims []string
	for _, name := range runningContainers(t, c, "") {
		if strings.HasPrefix(name, prefix) {
			victims = append(victims, name)
		}
	}
	if len(victims) == 0 {
		t.Fatalf("no container %s… to kill", prefix)
	}
	victim := victims[dice.IntN(len(victims))]
	output(t, func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, "docker", "kill", "-s", "KILL", victim)
	})
}
