package test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// manifest is the sample Deployment, as the documentation has it.
const manifest = "../docs/examples/hello.yaml"

// deployHello applies the sample Deployment and waits until it runs; it returns a pod's name.
func deployHello(t *testing.T, c *cluster, namespace string) (pod string) {
	t.Helper()
	c.mustKubectl(t, "apply", "-n", namespace, "-f", manifest)
	c.mustKubectl(t, "rollout", "status", "-n", namespace, "deployment/hello", "--timeout", patience.String())
	return strings.Fields(c.mustKubectl(t, "get", "pods", "-n", namespace, "-o", "jsonpath={.items[*].metadata.name}"))[0]
}

// TestKubectl is a day's work with kubectl, unchanged, in order.
func TestKubectl(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	pod := deployHello(t, c, namespace)
	in := func(args ...string) []string { return append([]string{"-n", namespace}, args...) }
	contains := func(t *testing.T, out string, wanted ...string) {
		t.Helper()
		for _, w := range wanted {
			if !strings.Contains(out, w) {
				t.Errorf("no %q in:\n%s", w, out)
			}
		}
	}

	t.Run("get wide", func(t *testing.T) {
		contains(t, c.mustKubectl(t, "get", "nodes", "-o", "wide"), c.node, "Ready", "docker://", "INTERNAL-IP", "CONTAINER-RUNTIME")
		contains(t, c.mustKubectl(t, in("get", "nodes,pods", "-o", "wide")...), "node/"+c.node, "pod/"+pod, "1/1", "Running", "NOMINATED NODE")
	})
	t.Run("describe", func(t *testing.T) {
		contains(t, c.mustKubectl(t, in("describe", "pod", pod)...),
			"Scheduled", "Successfully assigned", "Pulled", "Created", "Started", "registry.leme/hello:1.0", "Ready             True", "Controlled By:  ReplicaSet/hello-")
		contains(t, c.mustKubectl(t, in("describe", "deployment", "hello")...), "2 desired | 2 updated | 2 total | 2 available", "ScalingReplicaSet")
		contains(t, c.mustKubectl(t, "describe", "node", c.node), "Allocated resources", pod, "MemoryPressure")
	})
	t.Run("apply again", func(t *testing.T) {
		contains(t, c.mustKubectl(t, in("apply", "-f", manifest)...), "deployment.apps/hello unchanged")
		c.mustKubectl(t, in("apply", "--server-side", "--force-conflicts", "-f", manifest)...)
		before := c.mustKubectl(t, in("get", "deployment", "hello", "-o", "jsonpath={.metadata.generation}")...)
		contains(t, c.mustKubectl(t, in("apply", "--server-side", "-f", manifest)...), "serverside-applied")
		if after := c.mustKubectl(t, in("get", "deployment", "hello", "-o", "jsonpath={.metadata.generation}")...); after != before {
			t.Errorf("an apply that changes nothing raised the generation from %s to %s", before, after)
		}
		contains(t, c.mustKubectl(t, in("diff", "--server-side", "-f", manifest)...), "")
	})
	t.Run("logs -f", func(t *testing.T) { followLogs(t, c, namespace, pod) })
	t.Run("exec -it", func(t *testing.T) { execTerminal(t, c, namespace, pod) })
	t.Run("exec exit code", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := c.kubectl(ctx, in("exec", pod, "--", "/hello", "--no-such-flag")...).Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 {
			t.Errorf("the command ends with 2; kubectl ended with %v", err)
		}
	})
	t.Run("port-forward", func(t *testing.T) { portForward(t, c, namespace, pod) })
	t.Run("explain", func(t *testing.T) {
		contains(t, c.mustKubectl(t, "explain", "pod.spec"), "FIELDS:", "containers", "-required-", "restartPolicy")
		contains(t, c.mustKubectl(t, "explain", "deployment.spec.strategy.rollingUpdate.maxSurge"), "maxSurge")
	})
	t.Run("get -w", func(t *testing.T) { watchScale(t, c, namespace) })
	t.Run("set image and undo", func(t *testing.T) {
		c.mustKubectl(t, in("set", "image", "deployment/hello", "hello=registry.leme/hello:none")...)
		eventually(t, "a pod that cannot pull its image", func() bool {
			out := c.mustKubectl(t, in("get", "pods")...)
			return strings.Contains(out, "ErrImagePull") || strings.Contains(out, "ImagePullBackOff")
		})
		contains(t, c.mustKubectl(t, in("get", "events")...), "MANIFEST_UNKNOWN")
		c.mustKubectl(t, in("rollout", "undo", "deployment/hello")...)
		c.mustKubectl(t, in("rollout", "status", "deployment/hello", "--timeout", patience.String())...)
	})
	t.Run("delete", func(t *testing.T) {
		c.mustKubectl(t, in("delete", "deployment", "hello", "--timeout", patience.String())...)
		eventually(t, "no pod left", func() bool {
			return strings.TrimSpace(c.mustKubectl(t, in("get", "pods", "-o", "name")...)) == ""
		})
		eventually(t, "no container left", func() bool { return len(containersOf(t, c, namespace)) == 0 })
	})
}

// followLogs reads a line that is written after kubectl has begun to follow.
func followLogs(t *testing.T, c *cluster, namespace, pod string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := c.kubectl(ctx, "logs", "-n", namespace, "-f", pod)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it is ended by the test
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the log ended before its first line")
	}
	const mark = "/a-path-nobody-else-asks-for"
	ip := c.mustKubectl(t, "get", "pod", "-n", namespace, pod, "-o", "jsonpath={.status.podIP}")
	if got, err := exec.CommandContext(ctx, "curl", "-fsS", "--noproxy", "*", "http://"+ip+":8080"+mark).CombinedOutput(); err != nil {
		t.Fatalf("asking the pod at %s: %v\n%s", ip, err, got)
	}
	for lines.Scan() {
		if strings.Contains(lines.Text(), mark) {
			cancel()
			return
		}
	}
	t.Error("the log ended before the line of the request")
}

// execTerminal runs the sample program in a pseudo-terminal inside the pod.
func execTerminal(t *testing.T, c *cluster, namespace, pod string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := c.kubectl(ctx, "exec", "-it", "-n", namespace, pod, "--", "/hello", "--help")
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var all strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := terminal.Read(buffer)
		all.Write(buffer[:n])
		if err != nil {
			break
		}
	}
	_ = cmd.Wait() // --help may end with 2
	if !strings.Contains(all.String(), "-port") {
		t.Errorf("the terminal shows:\n%s", all.String())
	}
}

func portForward(t *testing.T, c *cluster, namespace, pod string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := c.kubectl(ctx, "port-forward", "-n", namespace, pod, ":8080")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it is ended by the test
	defer cancel()
	lines := bufio.NewScanner(out)
	var port int
	for lines.Scan() && port == 0 {
		if _, err := fmt.Sscanf(lines.Text(), "Forwarding from 127.0.0.1:%d ->", &port); err != nil {
			continue
		}
	}
	for range 3 { // the tunnel carries more than one connection
		if got, err := exec.CommandContext(ctx, "curl", "-fsS", "--noproxy", "*", fmt.Sprintf("http://127.0.0.1:%d/healthz", port)).CombinedOutput(); err != nil {
			t.Fatalf("through the forwarded port: %v\n%s", err, got)
		}
	}
}

// watchScale sees pods come and go while the Deployment is scaled.
func watchScale(t *testing.T, c *cluster, namespace string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := c.kubectl(ctx, "get", "pods", "-n", namespace, "-w")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it is ended by the test
	defer cancel()
	lines := bufio.NewScanner(out)
	for range 3 { // the header and the two pods
		if !lines.Scan() {
			t.Fatal("the watch ended before its first state")
		}
	}
	c.mustKubectl(t, "scale", "-n", namespace, "deployment/hello", "--replicas=3")
	seen := map[string]bool{}
	for _, step := range []struct {
		state    string
		replicas string
	}{{"Pending", ""}, {"1/1", "2"}, {"Terminating", ""}} {
		for !seen[step.state] && lines.Scan() {
			for _, word := range strings.Fields(lines.Text()) {
				seen[word] = true
			}
		}
		if !seen[step.state] {
			t.Fatalf("the watch ended before it showed %s", step.state)
		}
		if step.replicas != "" {
			c.mustKubectl(t, "scale", "-n", namespace, "deployment/hello", "--replicas="+step.replicas)
		}
	}
}

func TestValidationErrorsNameTheField(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte(`apiVersion: v1
kind: Pod
metadata: {name: bad}
spec:
  restartPolicy: Sometimes
  containers: [{name: A_B, image: x}]
`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, run := range []func(context.Context, ...string) *exec.Cmd{c.kubectl, c.command} {
		out, err := run(t.Context(), "apply", "-n", namespace, "-f", bad).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "spec.restartPolicy") || !strings.Contains(string(out), "spec.containers[0].name") {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
