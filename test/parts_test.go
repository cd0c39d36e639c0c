package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// process is a part of a cluster that runs in the foreground and that the test kills.
type process struct {
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

func (p *process) start(t testing.TB, c *cluster) {
	t.Helper()
	p.cmd = exec.Command(filepath.Join(c.bin, "leme"), p.args...)
	p.cmd.Env = c.env()
	p.log.Reset()
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) kill(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // it was killed
}

// apart prepares server and agent as processes of their own; nothing runs yet. Their logs show when the test fails.
func (c *cluster) apart(t testing.TB) (server, agent *process) {
	server = &process{args: append([]string{"server", "--node-name", c.node, "--node-ip", "127.0.0.1"}, c.server...)}
	agent = &process{args: append([]string{"agent", "--log-level", "debug"}, c.agent...)}
	t.Cleanup(func() {
		for _, p := range []*process{agent, server} {
			if p.cmd != nil && p.cmd.ProcessState == nil {
				p.kill(t)
			}
		}
		if t.Failed() {
			log := agent.log.Bytes()
			t.Logf("the server's log:\n%s\nthe agent's log ends:\n%s", server.log.String(), log[max(0, len(log)-20000):])
		}
	})
	return server, agent
}

// upApart is up with server and agent apart.
func (c *cluster) upApart(t testing.TB) (server, agent *process) {
	t.Helper()
	server, agent = c.apart(t)
	server.start(t, c)
	c.awaitAgentsKubeconfig(t)
	agent.start(t, c)
	c.awaitNode(t, "Ready")
	return server, agent
}

// awaitAgentsKubeconfig waits until the server has let the agent of this machine in.
func (c *cluster) awaitAgentsKubeconfig(t testing.TB) {
	t.Helper()
	eventually(t, "the agent's kubeconfig", func() bool {
		_, err := os.Stat(filepath.Join(c.home, "agent", "kubeconfig"))
		return err == nil
	})
}

// awaitNode waits until the API shows the node in a state.
func (c *cluster) awaitNode(t testing.TB, state string) {
	t.Helper()
	eventually(t, "a node that is "+state, func() bool {
		out, _ := c.command(t.Context(), "get", "node", c.node, "--no-headers").CombinedOutput()
		fields := strings.Fields(string(out))
		return len(fields) > 1 && fields[1] == state
	})
}
