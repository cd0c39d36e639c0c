package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leme/nodeagent/docker/dockertest/machine"
	"leme/test/install"
)

// patience bounds every wait of these tests: far more than anything takes.
const patience = 2 * time.Minute

// builtDir is set once binaries were built.
var builtDir string

// linkerFlags are for both binaries; kubectl has no version of its own in a module.
const linkerFlags = "-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2"

// binaries are built once.
var binaries = sync.OnceValues(func() (dir string, err error) {
	dir, err = os.MkdirTemp("", "leme-test-bin-")
	if err != nil {
		return "", err
	}
	builtDir = dir
	for name, pkg := range map[string]string{"leme": "leme", "kubectl": "leme/test/kubectl"} {
		program := filepath.Join(dir, name)
		build := exec.Command("go", "build", "-trimpath", "-ldflags", linkerFlags, "-o", program, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
		if err := install.Program(program, program); err != nil {
			return "", err
		}
	}
	image := exec.Command("go", "run", "leme/docs/examples/hello/image", "-o", filepath.Join(dir, "hello.tar"))
	if out, err := image.CombinedOutput(); err != nil {
		return "", fmt.Errorf("making the sample image: %w\n%s", err, out)
	}
	return dir, nil
})

// cluster is one cluster of its own on this machine: its home, ports, node and network are nobody else's.
type cluster struct {
	home, bin string
	server    []string // flags of `leme server`
	agent     []string // flags of `leme agent`
	node      string
	pods      *podRange
	tool      func() (image string, err error) // pushes the test program's image, once
}

var (
	clustersMu sync.Mutex
	clusters   int
)

// newCluster prepares a cluster; nothing runs yet. What it leaves on the engine goes with remove.
func newCluster() (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "leme-test-")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	pods, err := freePodRange()
	if err != nil {
		return nil, err
	}
	clustersMu.Lock()
	clusters++
	n := clusters
	clustersMu.Unlock()
	id := fmt.Sprintf("%d-%d", os.Getpid(), n)
	c := &cluster{
		home: home, bin: bin, node: "node-" + id, pods: pods,
		server: []string{
			"--listen", fmt.Sprintf("127.0.0.1:%d", ports[0]), "--advertise", "127.0.0.1",
			"--pod-cidr", pods.String(),
		},
		agent: []string{
			"--node-name", "node-" + id, "--node-ip", "127.0.0.1", "--node-port", fmt.Sprint(ports[1]),
			"--network", "leme-" + id,
		},
	}
	if kind := os.Getenv("LEME_TEST_POD_NETWORK"); kind != "" {
		c.agent = append(c.agent, "--pod-network", kind)
	}
	c.tool = sync.OnceValues(c.pushTool)
	return c, nil
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (c *cluster) env() []string {
	return append(os.Environ(), "LEME_HOME="+c.home, "KUBECONFIG=", "NO_COLOR=1", "LEME_CONTEXT=", "LEME_NAMESPACE=")
}

// command prepares a run of leme against the cluster.
func (c *cluster) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "leme"), args...)
	cmd.Env = c.env()
	return cmd
}

// kubectl prepares a run of kubectl against the cluster.
func (c *cluster) kubectl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "kubectl"), args...)
	cmd.Env = append(c.env(), "KUBECONFIG="+c.kubeconfig())
	return cmd
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.home, "kubeconfig") }

// up starts master and node in one process in the background, and puts the sample image into the registry.
func (c *cluster) up() error {
	args := append([]string{"up", "--detach"}, append(c.server, c.agent...)...)
	for _, args := range [][]string{args, {"image", "push", filepath.Join(c.bin, "hello.tar"), "hello:1.0"}} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if out, err := c.command(ctx, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("leme %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// remove stops the cluster and everything of it.
func (c *cluster) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := c.command(ctx, append([]string{"down", "--purge"}, c.nodeFlags()...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("leme down: %w\n%s", err, out)
	}
	return errors.Join(os.RemoveAll(c.home), c.pods.release())
}

// nodeFlags are those flags of the agent that `leme down` takes too.
func (c *cluster) nodeFlags() []string {
	return []string{"--node-name", c.node, "--network", c.network()}
}

func (c *cluster) network() string { return strings.Replace(c.node, "node-", "leme-", 1) }

// bridge is the interface of the network on this machine.
func (c *cluster) bridge() string { return c.network()[:min(14, len(c.network()))] + "0" }

// theShared is set once there is a shared cluster, so that TestMain can remove it.
var theShared *cluster

var shared = sync.OnceValues(func() (*cluster, error) {
	c, err := newCluster()
	if err != nil {
		return nil, err
	}
	theShared = c
	return c, c.up()
})

// sharedCluster is the one that most tests use, with a namespace for this test in it.
func sharedCluster(t *testing.T) (c *cluster, namespace string) {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	namespace = strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name()))
	c.must(t, "create", "namespace", namespace)
	t.Cleanup(func() {
		if t.Failed() {
			c.report(t, namespace)
		}
		c.must(t, "delete", "namespace", namespace, "--wait=false")
	})
	return c, namespace
}

// ownCluster is one that this test may break; nothing runs yet.
func ownCluster(t *testing.T) *cluster {
	t.Helper()
	c, err := newCluster()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			c.report(t, "default")
		}
		if err := c.remove(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// report shows what a failed test left.
func (c *cluster) report(t *testing.T, namespace string) {
	t.Helper()
	for _, args := range [][]string{{"get", "all,events", "-o", "wide", "-n", namespace}, {"describe", "pods", "-n", namespace}} {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		out, _ := c.kubectl(ctx, args...).CombinedOutput()
		cancel()
		t.Logf("kubectl %s\n%s", strings.Join(args, " "), out)
	}
	if log, err := os.ReadFile(filepath.Join(c.home, "log", "leme.log")); err == nil {
		t.Logf("the log ends:\n%s", log[max(0, len(log)-4000):])
	}
}

// must runs leme, which has to succeed, and returns what it printed.
func (c *cluster) must(t testing.TB, args ...string) string {
	t.Helper()
	return output(t, func(ctx context.Context) *exec.Cmd { return c.command(ctx, args...) })
}

// mustKubectl runs kubectl, which has to succeed.
func (c *cluster) mustKubectl(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, func(ctx context.Context) *exec.Cmd { return c.kubectl(ctx, args...) })
}

func output(t testing.TB, command func(context.Context) *exec.Cmd) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := command(ctx)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, errors.Bytes())
	}
	return string(out)
}

// poll is how often a condition that nothing announces is looked at.
const poll = 100 * time.Millisecond

// eventually waits for a condition; what says what is missing.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-ticker.C {
		if done() {
			return
		}
	}
	t.Fatalf("after %s still not: %s", patience, what)
}

func TestMain(m *testing.M) {
	if machine.RunHelper() {
		return
	}
	code := m.Run()
	if theShared != nil {
		if err := errors.Join(theShared.remove(), removeImages()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if builtDir != "" {
		os.RemoveAll(builtDir)
	}
	os.Exit(code)
}
