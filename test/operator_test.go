package test

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
)

// TestOperator runs two of an operator over controller-runtime, of which one leads: its cache, its lock, what it applies
// and owns, its finalizer and its condition, over the death of the one that leads.
func TestOperator(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	in := func(args ...string) []string { return append([]string{"-n", namespace}, args...) }
	get := func(what, path string) string { return c.mustKubectl(t, in("get", what, "-o", "jsonpath="+path)...) }

	first := startOperator(t, c, namespace, "first")
	c.mustKubectl(t, in("wait", "--for=create", "lease/greeter", "--timeout", patience.String())...)
	c.mustKubectl(t, in("wait", "--for=jsonpath={.spec.holderIdentity}", "lease/greeter", "--timeout", patience.String())...)
	startOperator(t, c, namespace, "second")

	c.mustKubectl(t, in("create", "deployment", "web", "--image=registry.leme/hello:1.0", "--replicas=0")...)
	c.mustKubectl(t, in("annotate", "deployment", "web", "example.com/greeting=hello")...)
	c.mustKubectl(t, in("wait", "--for=condition=Greeted", "deployment/web", "--timeout", patience.String())...)
	const message = `{.status.conditions[?(@.type=="Greeted")].message}`
	if got := get("deployment/web", message); got != "by first" {
		t.Errorf("it was greeted %q", got)
	}
	const told = `{.data.greeting} {.metadata.ownerReferences[0].name} {.metadata.managedFields[?(@.operation=="Apply")].manager}`
	if got := get("configmap/web-greeting", told); got != "hello web greeter" {
		t.Errorf("the greeting is %q", got)
	}

	c.mustKubectl(t, in("delete", "configmap", "web-greeting")...)
	c.mustKubectl(t, in("wait", "--for=create", "configmap/web-greeting", "--timeout", patience.String())...)

	// The second takes the lock over when the first is gone without a word, and does what was left to do.
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.mustKubectl(t, in("annotate", "deployment", "web", "--overwrite", "example.com/greeting=good day")...)
	c.mustKubectl(t, in("wait", "--for=jsonpath={.data.greeting}=good day", "configmap/web-greeting", "--timeout", patience.String())...)

	c.mustKubectl(t, in("delete", "deployment", "web", "--timeout", patience.String())...)
	if got := get("configmap/web-last-words", "{.data.by}"); got != "second" {
		t.Errorf("the last words are by %q", got)
	}
	c.mustKubectl(t, in("wait", "--for=delete", "configmap/web-greeting", "--timeout", patience.String())...)
}

// startOperator runs the operator until the test ends, and shows what it said when that failed.
func startOperator(t *testing.T, c *cluster, namespace, name string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := c.client(ctx, t, "operator", "-namespace", namespace, "-name", name)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it is killed
		if t.Failed() {
			t.Logf("the %s operator:\n%s", name, log.Bytes())
		}
	})
	return cmd
}

// TestWait: kubectl waits for conditions, for fields, for what comes and for what goes.
func TestWait(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	in := func(args ...string) []string { return append([]string{"-n", namespace}, args...) }
	wait := func(args ...string) string {
		return c.mustKubectl(t, in(append([]string{"wait", "--timeout", patience.String()}, args...)...)...)
	}
	expect := func(got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("it says %q, not %q", got, want)
		}
	}
	coming := c.kubectl(t.Context(), in("wait", "--for=create", "--timeout", patience.String(), "deployment/hello")...)
	if err := coming.Start(); err != nil {
		t.Fatal(err)
	}
	c.mustKubectl(t, in("apply", "-f", manifest)...)
	if err := coming.Wait(); err != nil {
		t.Errorf("waiting for what comes: %v", err)
	}
	expect(wait("--for=condition=Available", "deployment/hello"), "deployment.apps/hello condition met")
	expect(wait("--for=condition=Ready", "pods", "-l", "app=hello"), "condition met")
	expect(wait("--for=jsonpath={.status.readyReplicas}=2", "deployment/hello"), "condition met")
	expect(wait("--for=jsonpath={.status.podIP}", "pods", "--all"), "condition met")

	going := c.kubectl(t.Context(), in("wait", "--for=delete", "--timeout", patience.String(), "pods", "-l", "app=hello")...)
	if err := going.Start(); err != nil {
		t.Fatal(err)
	}
	c.mustKubectl(t, in("delete", "deployment", "hello", "--wait=false")...)
	if err := going.Wait(); err != nil {
		t.Errorf("waiting for what goes: %v", err)
	}
	out, err := c.kubectl(t.Context(), in("wait", "--for=condition=Ready", "pod/nothing", "--timeout=1s")...).CombinedOutput()
	if err == nil {
		t.Errorf("waiting for nothing: %s", out)
	}
}
