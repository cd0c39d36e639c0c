package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTour runs every command of the tour, in its order, with a kubectl that is not ours, and looks for what the tour
// says that it prints.
func TestTour(t *testing.T) { follow(t, "../docs/tour.md", "tour") }

// TestWorkloadsGuide does the same with the guide to workloads.
func TestWorkloadsGuide(t *testing.T) { follow(t, "../docs/workloads.md", "workloads") }

// follow walks through a page of sessions, which happen in a namespace of their own.
func follow(t *testing.T, page, namespace string) {
	t.Parallel()
	c, _ := sharedCluster(t)
	guide := newTourist(t, c, namespace)
	for _, step := range readTour(t, page) {
		guide.walk(t, step)
		if t.Failed() {
			return
		}
	}
}

// tourStep is a command of the tour and what it prints, line by line.
type tourStep struct {
	command string
	prints  []string
}

// readTour finds the commands: the lines that begin with a prompt in the blocks that are sessions. A block of YAML is
// kept under the name that its first line tells.
func readTour(t *testing.T, page string) (steps []tourStep) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	block := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		command, typed := strings.CutPrefix(line, "$ ")
		name, named := strings.CutPrefix(line, "# ")
		fence, fenced := strings.CutPrefix(line, "```")
		switch {
		case fenced:
			if block == "yaml" {
				steps[len(steps)-1].command += "EOF\n"
			}
			block = fence
		case block == "console" && typed:
			steps = append(steps, tourStep{command: command})
		case block == "console":
			last := &steps[len(steps)-1]
			last.prints = append(last.prints, line)
		case block == "yaml" && named && strings.HasSuffix(name, ".yaml"):
			steps = append(steps, tourStep{command: "cat >" + name + " <<'EOF'\n"})
		case block == "yaml":
			steps[len(steps)-1].command += line + "\n"
		}
	}
	if len(steps) < 30 {
		t.Fatalf("%s has only %d commands", page, len(steps))
	}
	return steps
}

// tourist follows the tour: in a folder of its own, with its own kubeconfig.
type tourist struct {
	dir     string
	env     []string
	names   *strings.Replacer // what is otherwise on this cluster than on the tour's
	cluster *cluster
}

func newTourist(t *testing.T, c *cluster, namespace string) *tourist {
	t.Helper()
	dir := t.TempDir()
	kubeconfig, err := os.ReadFile(c.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(own, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.mustKubectl(t, "delete", "namespace", namespace, "--ignore-not-found", "--wait=false") })
	return &tourist{
		dir: dir, cluster: c, names: strings.NewReplacer(c.node, "docs"),
		env: append(c.env(), "KUBECONFIG="+own, "PATH="+c.bin+":"+os.Getenv("PATH"), "HOME="+dir, "KUBECTL_EXTERNAL_DIFF=diff -u"),
	}
}

// walk runs a command as a shell does, and looks for what it is said to print.
func (g *tourist) walk(t *testing.T, step tourStep) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", step.command)
	cmd.Dir, cmd.Env = g.dir, g.env
	out, err := cmd.CombinedOutput()
	got := g.names.Replace(string(out))
	if missing, ok := prints(got, step.prints); !ok {
		t.Errorf("$ %s\n%s(%v)\nlacks the line\n%s", step.command, got, err, missing)
	}
	if err != nil && !toldToFail(step.prints) {
		t.Errorf("$ %s\n%s%v", step.command, got, err)
	}
}

// toldToFail says whether the tour shows that the command does not succeed.
func toldToFail(lines []string) bool {
	for _, line := range lines {
		if line == "no" || strings.HasPrefix(strings.ToLower(line), "error") || strings.Contains(line, "is invalid:") {
			return true
		}
	}
	return false
}

// prints finds the lines in their order among those that were printed; what is printed between them does not matter.
func prints(printed string, lines []string) (missing string, ok bool) {
	rest := strings.Split(printed, "\n")
	for _, line := range lines {
		pattern := linePattern(line)
		found := false
		for len(rest) > 0 && !found {
			found = pattern.MatchString(sameForAll(rest[0]))
			rest = rest[1:]
		}
		if !found {
			return fmt.Sprintf("%s   (%s)", line, pattern), false
		}
	}
	return "", true
}

// What differs from one run to the next.
var (
	suffixes  = regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{8,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?\b`)
	addresses = regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`)
	ages      = regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+s\b`)
)

// sameForAll is a line without what differs, and with one space between its words.
func sameForAll(line string) string {
	line = suffixes.ReplaceAllString(line, "-HASH")
	line = addresses.ReplaceAllString(line, "IP")
	line = ages.ReplaceAllString(line, "AGE")
	return strings.Join(strings.Fields(line), " ")
}

// linePattern is what a line of the tour stands for: "…" is anything.
func linePattern(line string) *regexp.Regexp {
	parts := strings.Split(sameForAll(line), "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(strings.TrimSpace(part))
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
}
