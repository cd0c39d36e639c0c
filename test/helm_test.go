package test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

// chart is a chart of ours with what charts usually have: a Deployment, its configuration, its Service, its rights, and
// Jobs as hooks and as a test.
const chart = "testdata/chart"

// TestHelm takes a release of the chart through its life with Helm, which applies on the server's side.
func TestHelm(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	h := &helm{t, c, namespace}
	get := func(what, path string) string {
		return c.mustKubectl(t, "get", "-n", namespace, what, "-o", "jsonpath="+path)
	}
	hooks := "hooks=" + c.mustTool(t)

	h.says("STATUS: deployed", "install", "web", chart, "--set", hooks, "--wait", "--wait-for-jobs")
	if got := get("deployment/web", "{.status.readyReplicas}"); got != "1" {
		t.Errorf("helm waited until %q pods were ready", got)
	}
	if got := get("configmap/web", `{.data.greeting} {.metadata.managedFields[?(@.operation=="Apply")].manager}`); got != "hello helm" {
		t.Errorf("the configuration is %q", got)
	}
	if got := get("job/web-pre-install", "{.status.succeeded}"); got != "1" {
		t.Errorf("the hook before the installation succeeded %q times", got)
	}
	h.says("TEST SUITE:     web-test", "test", "web")

	h.says("STATUS: deployed", "upgrade", "web", chart, "--set", hooks, "--set", "greeting=moin,replicas=2", "--wait")
	if got := get("deployment/web", "{.status.readyReplicas}") + get("configmap/web", "{.data.greeting}"); got != "2moin" {
		t.Errorf("after the upgrade there is %q", got)
	}
	if got := get("job/web-post-upgrade", "{.status.succeeded}"); got != "1" {
		t.Errorf("the hook after the upgrade succeeded %q times", got)
	}
	h.says("greeting: moin", "get", "values", "web")
	h.says("kind: RoleBinding", "get", "manifest", "web")
	h.says("helm.sh/hook: pre-delete", "get", "hooks", "web")

	h.says("Rollback was a success", "rollback", "web", "1", "--wait")
	if got := get("configmap/web", "{.data.greeting}"); got != "hello" {
		t.Errorf("after the rollback it says %q", got)
	}

	// An upgrade that fails is taken back.
	h.fails("has been rolled back", "upgrade", "web", chart, "--set", hooks, "--set", "greeting=adieu,fails=true", "--rollback-on-failure", "--wait")
	if got := get("configmap/web", "{.data.greeting}"); got != "hello" {
		t.Errorf("after the upgrade that failed it says %q", got)
	}
	history := h.run("history", "web")
	for _, want := range []string{"Install complete", "Upgrade complete", "Rollback to 1", "failed", "Rollback to 3"} {
		if !strings.Contains(history, want) {
			t.Errorf("no %q in the history:\n%s", want, history)
		}
	}

	h.says(`release "web" uninstalled`, "uninstall", "web", "--wait")
	if got := get("job/web-pre-delete", "{.status.succeeded}"); got != "1" {
		t.Errorf("the hook before the end succeeded %q times", got)
	}
	if left := c.mustKubectl(t, "get", "deployments,services,configmaps,roles,rolebindings", "-n", namespace, "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name"); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

// helm runs Helm in a namespace of a cluster.
type helm struct {
	t         *testing.T
	c         *cluster
	namespace string
}

func (h *helm) command(ctx context.Context, args ...string) *exec.Cmd {
	return h.c.client(ctx, h.t, "helm", append([]string{"-n", h.namespace}, args...)...)
}

// run has to succeed.
func (h *helm) run(args ...string) string {
	h.t.Helper()
	return output(h.t, func(ctx context.Context) *exec.Cmd { return h.command(ctx, args...) })
}

func (h *helm) says(want string, args ...string) {
	h.t.Helper()
	if got := h.run(args...); !strings.Contains(got, want) {
		h.t.Errorf("helm %s: no %q in\n%s", strings.Join(args, " "), want, got)
	}
}

// fails has to fail, with certain words.
func (h *helm) fails(want string, args ...string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	out, err := h.command(ctx, args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), want) {
		h.t.Errorf("helm %s: %v, no %q in\n%s", strings.Join(args, " "), err, want, out)
	}
}
