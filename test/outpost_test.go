package test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/docker/dockertest/machine"
	"leme/nodeagent/docker/dockertest/tap"
	"leme/server/auth"
)

// frontier is a cluster whose nodes are on a machine of the test's own, where the engine may be harmed. The server is here.
type frontier struct {
	space
	*machine.Machine
	pki     *auth.PKI
	posts   int
	hasDisk bool // of its own, on which are the homes of its agents
}

func newFrontier(t *testing.T, config machine.Config) *frontier {
	t.Helper()
	m := machine.New(t, config)
	c := ownCluster(t)
	ports, err := freePorts(1)
	must(t, err)
	c.server = []string{
		"--listen", netip.AddrPortFrom(m.Outside, uint16(ports[0])).String(), "--advertise", m.Outside.String(),
		"--pod-cidr", "10.213.0.0/16", "--node-monitor-grace-period", "15s",
	}
	server, _ := c.apart(t)
	server.start(t, c)
	c.awaitAgentsKubeconfig(t)
	f := &frontier{space: c.space(t, metav1.NamespaceDefault), Machine: m, hasDisk: config.Disk > 0}
	f.awaitServer(t)
	f.pki = copyAuthority(t, c)
	return f
}

// copyAuthority gives what signs the cluster's certificates, and leaves the server's own files alone.
func copyAuthority(t *testing.T, c *cluster) *auth.PKI {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"ca.crt", "ca.key"} {
		content, err := os.ReadFile(filepath.Join(c.home, "pki", name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	pki, err := auth.OpenPKI(dir, nil)
	must(t, err)
	return pki
}

// outpost is a node of a frontier: an agent that speaks to the engine through a tap.
type outpost struct {
	*frontier
	node, network, home string
	port                int // of the host; for a pod
	tap                 *tap.Tap
	flags               []string

	watched bool // its effects are counted

	mu      sync.Mutex
	effects []tap.Call          // since harmEffects
	dies    func(tap.Call) bool // before this effect
	agent   *exec.Cmd
	log     *bytes.Buffer
	closed  bool
	stumble error // why the agent did not start again
}

// outpost adds a node to the frontier. Its agent is told these flags too; it does not run yet.
func (f *frontier) outpost(t *testing.T, podNetwork string, flags ...string) *outpost {
	t.Helper()
	f.posts++
	name := fmt.Sprintf("post%d", f.posts)
	home := filepath.Join(f.home, name)
	if f.hasDisk {
		home = filepath.Join(f.Disk(), name)
	}
	o := &outpost{frontier: f, node: name, network: name, home: home, port: 20000 + f.posts, tap: tap.New(t, f.Host(), f.Listen), log: &bytes.Buffer{}}
	o.flags = append([]string{
		"agent", "--node-name", name, "--node-ip", f.Address.String(), "--node-port", strconv.Itoa(10250 + f.posts),
		"--network", name, "--pod-network", podNetwork, "--docker-host", o.tap.Host(), "--log-level", "debug",
	}, flags...)
	url := "https://" + strings.TrimPrefix(f.cluster.server[1], "https://")
	must(t, f.pki.WriteKubeconfig(filepath.Join(f.Files(o.home), "agent", "kubeconfig"), url, auth.NodePrefix+name, []string{auth.GroupNodes}, []string{f.Address.String()}))
	t.Cleanup(func() {
		o.kill()
		if t.Failed() {
			log := o.log.Bytes()
			t.Logf("the log of %s's agent ends:\n%s", name, log[max(0, len(log)-20000):])
		}
	})
	return o
}

// start starts the agent.
func (o *outpost) start() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	o.agent = exec.Command(filepath.Join(o.bin, "leme"), o.flags...)
	o.agent.Env = append(os.Environ(), "LEME_HOME="+o.home, "KUBECONFIG=")
	o.agent.Stdout, o.agent.Stderr = o.log, o.log
	if o.watched {
		return o.StartWatched(o.agent, o.effect)
	}
	return o.Start(o.agent)
}

// harmEffects begins to count the agent's effects anew, and has it die before those that are told.
func (o *outpost) harmEffects(dies func(tap.Call) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.effects, o.dies = nil, dies
}

// effect is called before each of the agent's effects.
func (o *outpost) effect(e machine.Effect) {
	o.mu.Lock()
	c := tap.Call{Kind: string(e), Nth: 1}
	for _, before := range o.effects {
		if before.Kind == c.Kind {
			c.Nth++
		}
	}
	o.effects = append(o.effects, c)
	dies := o.dies != nil && o.dies(c)
	o.mu.Unlock()
	if dies {
		o.again()
	}
}

// kill kills the agent for good.
func (o *outpost) kill() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.end()
}

func (o *outpost) end() {
	if o.agent != nil && o.agent.ProcessState == nil {
		_ = o.agent.Process.Kill() // it may have ended by itself
		_ = o.agent.Wait()
	}
}

// revive starts the agent again if it has ended by itself, as whoever keeps it does.
func (o *outpost) revive(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	pid := o.agent.Process.Pid
	o.mu.Unlock()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || strings.Contains(string(status), "\nState:\tZ") {
		t.Log("the agent has ended")
		o.again()
		must(t, o.stumble)
	}
}

// again kills the agent, and starts it anew.
func (o *outpost) again() {
	o.mu.Lock()
	o.end()
	fmt.Fprintln(o.log, "--- killed")
	o.mu.Unlock()
	if err := o.start(); err != nil {
		o.mu.Lock()
		o.stumble = err
		o.mu.Unlock()
	}
}

func (o *outpost) awaitReady(t *testing.T) {
	t.Helper()
	eventually(t, o.node+" ready", func() bool {
		n, err := o.client.CoreV1().Nodes().Get(t.Context(), o.node, metav1.GetOptions{})
		return err == nil && conditionOf(n, corev1.NodeReady).Status == corev1.ConditionTrue
	})
}

// left lists what pods have left on the node, whatever the API says: containers, endpoints of the network and interfaces
// of its bridge, rules for ports of the host, directories and mounts.
func (o *outpost) left(t *testing.T) []string {
	t.Helper()
	list, err := o.Engine.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", "leme.node="+o.node)})
	must(t, err)
	var left []string
	for _, c := range list.Items {
		left = append(left, "container "+strings.Join(c.Names, " "))
	}
	network, err := o.Engine.NetworkInspect(t.Context(), o.network, client.NetworkInspectOptions{})
	must(t, err)
	for id := range network.Network.Containers {
		left = append(left, "endpoint "+id)
	}
	for _, link := range strings.Fields(o.Output(t, "ls", "/sys/class/net/"+o.network+"0/brif")) {
		left = append(left, "interface "+link)
	}
	for _, rules := range []string{o.Output(t, "iptables-save"), o.Output(t, "nft", "list", "ruleset")} {
		for line := range strings.Lines(rules) {
			if strings.Contains(line, strconv.Itoa(o.port)) {
				left = append(left, "rule "+line)
			}
		}
	}
	dirs, err := filepath.Glob(filepath.Join(o.Files(o.home), "agent", "pods", "*"))
	must(t, err)
	for line := range strings.Lines(o.Output(t, "cat", "/proc/self/mountinfo")) {
		if strings.Contains(line, o.home+"/") {
			left = append(left, "mount "+line)
		}
	}
	return append(left, dirs...)
}

func conditionOf(n *corev1.Node, kind corev1.NodeConditionType) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.NodeCondition{}
}
