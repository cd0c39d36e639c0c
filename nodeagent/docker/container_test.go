package docker_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/pod"
)

// TestPodRunsAndIsAdoptedAndGoes: a pod from its sandbox to its end, with an agent that starts anew in between.
func TestPodRunsAndIsAdoptedAndGoes(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("web", "facts")
	sandbox := n.Sandbox(t, p)
	if !sandbox.Sandbox || sandbox.State != pod.Running || sandbox.IP == "" || sandbox.PID == 0 {
		t.Fatalf("sandbox: %+v", sandbox)
	}
	// It must not leave the dead of a shared PID namespace unreaped.
	dockertest.Eventually(t, func() bool { return ignores(t, sandbox.PID, unix.SIGCHLD) })
	id := startedOnce(t, n, p, sandbox)
	n.Restart(t) // a new agent knows what the old one did
	adopted(t, n, p, sandbox, id)
	tellsFacts(t, n, sandbox, id)
	goes(t, n, sandbox, id)
}

// startedOnce creates the third attempt of a container, which can be asked for again until it runs.
func startedOnce(t *testing.T, n *dockertest.Node, p *corev1.Pod, sandbox pod.Container) (id string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "greeting")
	if err := os.WriteFile(file, []byte("good morning"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := n.Spec(p, sandbox.ID)
	spec.Mounts = []pod.Mount{{HostPath: file, ContainerPath: "/greeting", ReadOnly: true}}
	spec.Env = []string{"GREETING=good day"}
	spec.Attempt = 3
	id, err := n.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	again, err := n.Create(t.Context(), spec)
	if err != nil || again != id {
		t.Fatalf("creating the same attempt again gave %s, %v; want %s", again, err, id)
	}
	if err := n.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Create(t.Context(), spec); err == nil {
		t.Fatal("a second container of an attempt that runs was created")
	}
	return id
}

// adopted: the labels tell all that the agent has to know.
func adopted(t *testing.T, n *dockertest.Node, p *corev1.Pod, sandbox pod.Container, id string) {
	t.Helper()
	c, ok := n.Find(t, id)
	want := pod.Container{
		ID: id, PodUID: p.UID, PodNamespace: "default", PodName: "web", Name: "app", Attempt: 3, Hash: "hash",
		State: pod.Running, Image: n.Image.ID, ImageID: n.Image.ID, SandboxID: sandbox.ID,
		PID: c.PID, Created: c.Created, Started: c.Started, Share: pod.ShareOf(corev1.ResourceRequirements{}),
	}
	if !ok || c != want || c.PID == 0 || c.Started.IsZero() {
		t.Fatalf("got  %+v\nwant %+v", c, want)
	}
	of, err := n.PodContainers(t.Context(), p.UID)
	if err != nil || len(of) != 2 {
		t.Fatalf("containers of the pod: %+v, %v", of, err)
	}
}

// tellsFacts: the container has its name, variables, address and files.
func tellsFacts(t *testing.T, n *dockertest.Node, sandbox pod.Container, id string) {
	t.Helper()
	dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), "writable") })
	for _, fact := range []string{"hostname web", "env good day", sandbox.IP, "writable <nil>"} {
		if !strings.Contains(tail(t, n, id), fact) {
			t.Errorf("the container does not tell %q: %s", fact, tail(t, n, id))
		}
	}
	output, _, err := n.Exec(t.Context(), id, []string{"/app", "read", "/greeting"})
	if err != nil || !strings.HasPrefix(string(output), "good morning, open /greeting: read-only") {
		t.Errorf("the mounted file: %s, %v", output, err)
	}
}

// goes: stopping and removing leave nothing, and may be done again.
func goes(t *testing.T, n *dockertest.Node, sandbox pod.Container, id string) {
	t.Helper()
	if err := n.Stop(t.Context(), id, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	c, _ := n.Find(t, id)
	if c.State != pod.Exited || c.ExitCode != 0 || c.Finished.IsZero() {
		t.Errorf("after stop: %+v", c)
	}
	for _, gone := range []string{id, sandbox.ID, id} { // the last is gone already
		if err := n.Stop(t.Context(), gone, 0); err != nil {
			t.Error(err)
		}
		if err := n.Remove(t.Context(), gone); err != nil {
			t.Error(err)
		}
	}
	if left, _ := n.Containers(t.Context()); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
}

// ignores reads from /proc whether a process ignores a signal.
func ignores(t *testing.T, pid int, signal unix.Signal) bool {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "SigIgn:")
	var mask uint64
	if _, err := fmt.Sscanf(rest, "%x", &mask); err != nil {
		t.Fatal(err)
	}
	return mask&(1<<(signal-1)) != 0
}

func TestStopKillsAfterGrace(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("deaf", "stay", "deaf"))
	dockertest.Eventually(t, func() bool { return tail(t, n, id) == "deaf" })
	begin := time.Now()
	if err := n.Stop(t.Context(), id, time.Second); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < time.Second || took > 8*time.Second {
		t.Errorf("stopping took %s with a grace of 1s", took)
	}
	if c, _ := n.Find(t, id); c.ExitCode != 137 {
		t.Errorf("exit code %d, want 137", c.ExitCode)
	}
}

// TestRemoveReturnsWhenGone: also to whom somebody else's removal came first.
func TestRemoveReturnsWhenGone(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	sandbox := n.Sandbox(t, n.Pod("gone"))
	var removals errgroup.Group
	for range 4 {
		removals.Go(func() error {
			if err := n.Remove(t.Context(), sandbox.ID); err != nil {
				return err
			}
			if _, err := n.Engine.ContainerInspect(t.Context(), sandbox.ID, client.ContainerInspectOptions{}); !errdefs.IsNotFound(err) {
				t.Errorf("looking for it then gave %v", err)
			}
			return nil
		})
	}
	if err := removals.Wait(); err != nil {
		t.Error(err)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("broken")
	sandbox := n.Sandbox(t, p)
	for name, row := range map[string]struct {
		command string
		code    int
		words   string
	}{
		"missing":        {"/nothing", 127, "no such file"},
		"not-in-path":    {"nothing", 127, "not found"},
		"not-executable": {"/notes.txt", 126, "permission denied"},
	} {
		p.Spec.Containers[0].Name, p.Spec.Containers[0].Command = name, []string{row.command}
		id, err := n.Create(t.Context(), n.Spec(p, sandbox.ID))
		if err != nil {
			t.Fatal(err)
		}
		var start *pod.StartError
		err = n.Start(t.Context(), id)
		if !errors.As(err, &start) || start.ExitCode != row.code || !strings.Contains(start.Message, row.words) {
			t.Errorf("%s: %#v, want code %d and %q", name, err, row.code, row.words)
		}
		c, _ := n.Find(t, id)
		if c.State != pod.Exited || c.ExitCode != row.code || c.Error == "" || c.Finished.IsZero() {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestLimitsAndSecurity(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("limited", "facts")
	yes, no, uid, gid := true, false, int64(1234), int64(55)
	p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: &uid, SupplementalGroups: []int64{7}}
	c := &p.Spec.Containers[0]
	c.SecurityContext = &corev1.SecurityContext{
		RunAsGroup: &gid, ReadOnlyRootFilesystem: &yes, AllowPrivilegeEscalation: &no,
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"NET_BIND_SERVICE"}},
	}
	c.Resources = corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("250m")},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
	}
	spec := n.Spec(p, n.Sandbox(t, p).ID)
	spec.OOMScoreAdj = -997 // left out where the host refuses it
	id, err := n.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	i, err := n.Engine.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := i.Container.HostConfig
	if h.Memory != 64<<20 || h.MemorySwap != 64<<20 || h.CPUShares != 256 || h.CPUQuota != 50_000 || h.CPUPeriod != 100_000 {
		t.Errorf("limits: %+v", h.Resources)
	}
	if h.LogConfig.Config["max-size"] != "10m" || h.LogConfig.Config["max-file"] != "5" {
		t.Errorf("log: %+v", h.LogConfig)
	}
	dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), "writable") })
	if facts := tail(t, n, id); !strings.Contains(facts, "uid 1234 gid 55") || !strings.Contains(facts, "read-only") {
		t.Errorf("facts: %s", facts)
	}
}

func TestMemoryLimitKills(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("greedy", "memory", "200")
	p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")}
	c := n.WaitExit(t, n.Run(t, p))
	if !c.OOMKilled || c.ExitCode != 137 {
		t.Errorf("%+v", c)
	}
}

func TestSharedAndHostNamespaces(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	yes := true
	shared := n.Pod("shared", "facts")
	shared.Spec.ShareProcessNamespace = &yes
	id := n.Run(t, shared)
	dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), "writable") })
	if strings.Contains(tail(t, n, id), "pid 1\n") {
		t.Error("the container is PID 1 though the pod shares its PID namespace")
	}
	host := n.Pod("host", "facts")
	host.Spec.HostNetwork = true
	sandbox := n.Sandbox(t, host)
	if sandbox.IP != "" {
		t.Errorf("a pod on the host's network got %s", sandbox.IP)
	}
	id, err := n.Create(t.Context(), n.Spec(host, sandbox.ID))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), "writable") })
	if facts := tail(t, n, id); !strings.Contains(facts, n.Network.Gateway().String()) {
		t.Errorf("the host's addresses are not seen: %s", facts)
	}
}

// A container is held to other amounts while it runs, but not to less memory than it uses.
func TestResize(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("resized", "stay")
	p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")}
	id := n.Run(t, p)
	want := pod.Share{Weight: 512, Quota: 50_000, Memory: 64 << 20}
	if err := n.Resize(t.Context(), id, want); err != nil {
		t.Fatal(err)
	}
	all, err := n.PodContainers(t.Context(), p.UID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.ID == id && (c.Share != want || c.State != pod.Running) {
			t.Errorf("resized to %+v, %s", c.Share, c.State)
		}
	}
	if err := n.Resize(t.Context(), id, pod.Share{Weight: 2, Memory: 4096}); err == nil {
		t.Error("memory that is in use was taken")
	}
}

// An ephemeral container sees the processes of its target.
func TestTargetsProcesses(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("target", "stay")
	sandbox := n.Sandbox(t, p)
	start := func(spec pod.Spec) string {
		id, err := n.Create(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	target := start(n.Spec(p, sandbox.ID))
	looks := n.Spec(p, sandbox.ID)
	looks.Container.Name, looks.Args, looks.TargetID = "debug", []string{"facts"}, target
	id := start(looks)
	dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), "writable") })
	if strings.Contains(tail(t, n, id), "pid 1\n") {
		t.Error("the container is PID 1 though it joined another's processes")
	}
}

func tail(t *testing.T, n *dockertest.Node, id string) string {
	t.Helper()
	b, err := n.Tail(t.Context(), id, 4096)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(b))
}
