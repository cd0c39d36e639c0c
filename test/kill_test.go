package test

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	server, agent := c.upApart(t)
	c.must(t, "image", "push", filepath.Join(c.bin, "hello.tar"), "hello:1.0")
	deployHello(t, c, "default")
	long := strings.TrimSpace(c.must(t, "run", "bystander", "--image=registry.leme/hello:1.0"))
	t.Log(long)
	c.must(t, "wait", "pod/bystander", "--for=condition=Ready", "--timeout="+patience.String())
	bystander := runningContainers(t, c, "bystander")

	const container, sandbox = "leme_hello_", "leme_POD_hello-"
	const seed1, seed2 = 7, 11
	dice := rand.New(rand.NewPCG(seed1, seed2))
	kills := []struct {
		name string
		kill func()
	}{
		{"container", func() { killOne(t, c, dice, container) }},
		{"sandbox", func() { killOne(t, c, dice, sandbox) }},
		{"agent", func() { agent.kill(t); agent.start(t, c) }},
		{"server", func() { server.kill(t); server.start(t, c) }},
		{"container, then agent", func() { killOne(t, c, dice, container); agent.kill(t); agent.start(t, c) }},
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
