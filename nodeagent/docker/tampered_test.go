package docker_test

import (
	"testing"

	"github.com/moby/moby/client"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/pod"
)

// TestNetworkRemovedBetweenPods: the engine lets everybody remove a network that no pod is on.
func TestNetworkRemovedBetweenPods(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByEngine)
	for range 2 {
		if _, err := n.Engine.NetworkRemove(t.Context(), n.Network.Name(), client.NetworkRemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		sandbox := n.Sandbox(t, n.Pod("late"))
		if sandbox.State != pod.Running || sandbox.IP == "" {
			t.Fatalf("the sandbox is %+v", sandbox)
		}
		if err := n.Remove(t.Context(), sandbox.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSandboxTakenOffTheNetwork: a pod that somebody has disconnected needs another sandbox.
func TestSandboxTakenOffTheNetwork(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByEngine)
	sandbox, other := n.Sandbox(t, n.Pod("cut")), n.Sandbox(t, n.Pod("whole"))
	if c, _ := n.Find(t, sandbox.ID); c.State != pod.Running {
		t.Fatalf("the sandbox is %+v", c)
	}
	if _, err := n.Engine.NetworkDisconnect(t.Context(), n.Network.Name(), client.NetworkDisconnectOptions{Container: sandbox.ID, Force: true}); err != nil {
		t.Fatal(err)
	}
	if c, _ := n.Find(t, sandbox.ID); c.State != pod.Unknown {
		t.Errorf("a sandbox that is off the network is %+v", c)
	}
	if c, _ := n.Find(t, other.ID); c.State != pod.Running || c.IP != other.IP {
		t.Errorf("another one is %+v", c)
	}
	n.Restart(t)
	if c, _ := n.Find(t, sandbox.ID); c.State != pod.Unknown {
		t.Errorf("to the next agent it is %+v", c)
	}
}

// TestHeldByAnother: somebody pauses a pod's sandbox and container, and lets them go on.
func TestHeldByAnother(t *testing.T) {
	dockertest.Each(t, func(t *testing.T, n *dockertest.Node) {
		p := n.Pod("held")
		id := n.Run(t, p)
		all, err := n.PodContainers(t.Context(), p.UID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if _, err := n.Engine.ContainerPause(t.Context(), c.ID, client.ContainerPauseOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		n.Restart(t) // and the agent starts anew meanwhile
		for _, before := range all {
			if c, _ := n.Find(t, before.ID); c.State != pod.Paused || c.IP != before.IP {
				t.Errorf("paused it is %+v", c)
			}
		}
		second := n.Spec(p, all[0].ID)
		for _, c := range all {
			if c.Sandbox {
				second = n.Spec(p, c.ID)
			}
		}
		second.Container.Name, second.Attempt = "second", 1
		made, err := n.Create(t.Context(), second)
		if err == nil {
			err = n.Start(t.Context(), made)
		}
		if err != nil {
			t.Errorf("a container that joins a paused sandbox: %v", err)
		}
		if err := n.Stop(t.Context(), id, 0); err != nil {
			t.Errorf("stopping what is paused: %v", err)
		}
		if c := n.WaitExit(t, id); c.State != pod.Exited {
			t.Errorf("stopped it is %+v", c)
		}
	})
}
