package test

import (
	"bufio"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestInside looks and steps into pods, with kubectl and with leme.
func TestInside(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	s.run(t, s.tool(t, "inside", "echo ready then stay", func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, *p.Spec.Containers[0].DeepCopy())
		p.Spec.Containers[1].Name = "other"
	}))
	s.run(t, s.tool(t, "failing", "echo tried then exit 3"))
	s.until(t, "inside", "ready", isReady)
	s.until(t, "failing", "restarted", func(p *corev1.Pod) bool { return state(p, "c").RestartCount > 0 })
	for _, v := range []verb{
		{"both exec inside -- /tool exit 7", 7, "command terminated with exit code 7"},
		{"both exec inside -c other -- /tool echo hello", 0, "hello"},
		{"both exec inside -- /no-such-program", 1, `error: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "`},
		{"both exec inside -- no-such-program", 1, "executable file not found in $PATH"},
		{"both exec inside -c nobody -- /tool id", 1, "container nobody is not valid for pod inside"},
		{"both exec nobody -- /tool id", 1, `pods "nobody" not found`},
		{"both logs inside --tail=1", 0, "ready"},
		{"both logs inside --all-containers --prefix", 0, "[pod/inside/other] ready"},
		{"both logs inside -c other --timestamps --limit-bytes=4", 0, "20"},
		{"both logs inside --previous", 1, `previous terminated container "c" in pod "inside" not found`},
		{"both logs failing --previous", 0, "tried"},
		{"both logs nobody", 1, `pods "nobody" not found`},
		{"both cp inside:/nothing nothing", 2, "no such file"},
		{"both cp nobody:/nothing nothing", 1, `pods "nobody" not found`},
		{"both port-forward nobody 1:1", 1, "not found"},
		{"both get pods", 0, "inside"},
		{"both describe pod inside", 0, "Started container other"},
		{"both events --for=pod/inside", 0, "Started container other"},
		{"kubectl debug inside --copy-to=copied --set-image=*=" + s.mustTool(t), 0, ""},
		{"kubectl wait pod/copied --for=condition=Ready --timeout=60s", 0, "condition met"},
		{"kubectl delete pod copied --force", 0, "force deleted"},
		{"both drain " + s.node + " --dry-run=client --pod-selector=x=nobody", 0, "drained (dry run)"},
	} {
		v.run(t, s.cluster, t.TempDir(), s.namespace)
	}
}

// TestRunAndRemove runs pods that end at once: whether attaching finds them running, ending or ended, their exit code
// is the command's.
func TestRunAndRemove(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	image := s.mustTool(t)
	for _, name := range []string{"first", "second", "third", "fourth"} {
		verb{"both run " + name + " --rm -i --restart=Never --image=" + image + " -- echo said then exit 5", 5, "said"}.run(t, s.cluster, "", s.namespace)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	s.ready(t, s.tool(t, "box", "stay"))
	dir := t.TempDir()
	content := make([]byte, 3<<20)
	rand.Read(content)
	must(t, os.MkdirAll(filepath.Join(dir, "tree", "below"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "tree", "below", "file"), content, 0o644))
	for name, program := range map[string]func(context.Context, ...string) *exec.Cmd{"kubectl": s.kubectl, "leme": s.command} {
		for _, args := range [][]string{{"cp", "tree", "box:/tmp/" + name}, {"cp", "box:/tmp/" + name, name}} {
			cmd := program(t.Context(), append([]string{"-n", s.namespace}, args...)...)
			cmd.Dir = dir
			if code, out := exit(t, cmd); code != 0 {
				t.Fatalf("%s: %s", strings.Join(cmd.Args, " "), out)
			}
		}
		if got, err := os.ReadFile(filepath.Join(dir, name, "below", "file")); err != nil || !slices.Equal(got, content) {
			t.Errorf("%s: %d bytes came back, %v", name, len(got), err)
		}
	}
}

// TestWatchTellsAll sees an object come, change and go.
func TestWatchTellsAll(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	for name, program := range map[string]func(context.Context, ...string) *exec.Cmd{"kubectl": c.kubectl, "leme": c.command} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		cmd := program(ctx, "get", "configmaps", "-n", namespace, "--watch", "--output-watch-events", "--no-headers")
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		next := func(kind string) {
			t.Helper()
			for lines.Scan() {
				if words := strings.Fields(lines.Text()); len(words) > 1 && words[1] == name {
					if words[0] != kind {
						t.Errorf("%s: %s, want %s", name, lines.Text(), kind)
					}
					return
				}
			}
			t.Fatalf("%s: the watch ended before %s", name, kind)
		}
		c.mustKubectl(t, "create", "configmap", name, "-n", namespace)
		next("ADDED")
		c.mustKubectl(t, "label", "configmap", name, "-n", namespace, "a=b")
		next("MODIFIED")
		c.mustKubectl(t, "delete", "configmap", name, "-n", namespace)
		next("DELETED")
		cancel()
		_ = cmd.Wait() // it was ended
	}
}
