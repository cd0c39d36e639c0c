package docker_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// An agent that lists before it has its network disturbs nobody, and connects later.
func TestListBeforeTheNetworkIsThere(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	p := n.Pod("early")
	app := n.Run(t, p)
	before, _ := n.Find(t, app)

	n.UseNetwork(t, n.OtherNetwork(t)) // as a new agent has it, without its range
	sandbox, ok := n.Find(t, before.SandboxID)
	if !ok || sandbox.State != pod.Running {
		t.Fatalf("%+v", sandbox)
	}
	if err := n.Network.Ensure(t.Context(), netip.PrefixFrom(netip.MustParseAddr(sandbox.IP), 24).Masked()); err != nil {
		t.Fatal(err)
	}
	if sandbox, _ = n.Find(t, before.SandboxID); sandbox.State != pod.Running {
		t.Fatalf("%+v", sandbox)
	}
	out, _, err := n.Exec(t.Context(), app, []string{"/app", "read", "/proc/net/route"})
	if err != nil || !strings.Contains(string(out), "eth0") {
		t.Errorf("%s, %v", out, err)
	}
	if now, _ := n.Find(t, app); now.PID != before.PID {
		t.Errorf("the container was %+v, and is %+v", before, now)
	}
}

// broken connects nobody while it has an error.
type broken struct {
	*network.Netns
	err error
}

func (b *broken) Connect(ctx context.Context, e network.Endpoint, sandbox string, pid int) error {
	if b.err != nil {
		return b.err
	}
	return b.Netns.Connect(ctx, e, sandbox, pid)
}

// What cannot be connected now runs on, but nothing joins it.
func TestUnconnectedSandboxIsNotJoined(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	p := n.Pod("early")
	sandbox := n.Sandbox(t, p)
	b := &broken{Netns: n.Network.(*network.Netns), err: errors.New("not now")}
	n.UseNetwork(t, b)
	if c, _ := n.Find(t, sandbox.ID); c.State != pod.Running {
		t.Errorf("%+v", c)
	}
	if _, err := n.Create(t.Context(), n.Spec(p, sandbox.ID)); err == nil || err.Error() != "the pod is not on the network yet" {
		t.Errorf("joined: %v", err)
	}
	b.err = nil
	if c, _ := n.Find(t, sandbox.ID); c.State != pod.Running {
		t.Errorf("%+v", c)
	}
	if _, err := n.Create(t.Context(), n.Spec(p, sandbox.ID)); err != nil {
		t.Error(err)
	}
	b.err = network.ErrAddressTaken
	n.UseNetwork(t, b)
	if c, _ := n.Find(t, sandbox.ID); c.State != pod.Unknown {
		t.Errorf("%+v", c)
	}
}
