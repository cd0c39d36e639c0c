package nodeagent

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/pod"
)

// noPuller is for tests whose images are present.
type noPuller struct{}

func (noPuller) Pull(context.Context, string, []corev1.Secret, func(done, total int64)) (pod.Image, error) {
	return pod.Image{}, fmt.Errorf("nothing is pulled here")
}

// made notes the range that the agent asks for; the test's node has its network already.
type made struct{ asked chan netip.Prefix }

func (m made) Ensure(_ context.Context, podCIDR netip.Prefix) error {
	m.asked <- podCIDR
	return nil
}

// bed is an agent on the machine's real engine, with a made-up API.
type bed struct {
	t      testing.TB
	node   *dockertest.Node
	client kubernetes.Interface
	home   string
	asked  chan netip.Prefix
	agent  *Agent
	stop   func()
}

func newBed(t testing.TB) *bed {
	b := &bed{t: t, node: dockertest.New(t), client: fake.NewClientset(), home: t.TempDir(), asked: make(chan netip.Prefix, 9)}
	b.run()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *bed) run() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := Config{Home: b.home, Kubeconfig: &rest.Config{}, Runtime: b.node.Runtime, Puller: noPuller{}, Network: made{b.asked},
		NodeName: "node-1", NodeIP: "192.0.2.1", Version: "0.0.1", Labels: map[string]string{"zone": "a"}, Logger: slog.New(slog.DiscardHandler)}
	if err := c.validate(); err != nil {
		b.t.Fatal(err)
	}
	a, err := newAgent(c, b.client)
	if err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	b.agent = a
	b.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
		b.stop = func() {}
	}
}

// kill ends the agent and its runtime, and starts both anew.
func (b *bed) restart() {
	b.stop()
	b.node.Restart(b.t)
	b.run()
}

func (b *bed) until(what string, ok func() bool) {
	b.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("never: %s\n%s", what, b.story())
		}
	}
}

// story is what there is to know when a test fails.
func (b *bed) story() string {
	var s strings.Builder
	events, _ := b.client.CoreV1().Events("").List(context.Background(), metav1.ListOptions{})
	for _, e := range events.Items {
		fmt.Fprintf(&s, "%s %s %s: %s\n", e.InvolvedObject.Name, e.InvolvedObject.FieldPath, e.Reason, e.Message)
	}
	for _, p := range b.agent.Pods().List() {
		fmt.Fprintf(&s, "%s %+v\n", p.Name, p.Status)
	}
	return s.String()
}

func (b *bed) register() {
	b.t.Helper()
	b.until("registered", func() bool { return b.getNode() != nil })
	patch := []byte(`{"spec":{"podCIDR":"10.42.3.0/24"}}`)
	_, err := b.client.CoreV1().Nodes().Patch(b.t.Context(), "node-1", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.until("node ready", func() bool { return b.condition(corev1.NodeReady) == corev1.ConditionTrue })
}

func (b *bed) getNode() *corev1.Node {
	n, err := b.client.CoreV1().Nodes().Get(b.t.Context(), "node-1", metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return n
}

func (b *bed) condition(t corev1.NodeConditionType) corev1.ConditionStatus {
	for _, c := range b.getNode().Status.Conditions {
		if c.Type == t {
			return c.Status
		}
	}
	return ""
}

func (b *bed) create(p *corev1.Pod) {
	b.t.Helper()
	p.Spec.NodeName = "node-1"
	if _, err := b.client.CoreV1().Pods(p.Namespace).Create(b.t.Context(), p, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) pod(name string) *corev1.Pod {
	p, err := b.client.CoreV1().Pods("default").Get(b.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return &corev1.Pod{}
	}
	return p
}

func (b *bed) ready(name string) func() bool {
	return func() bool {
		return slices.ContainsFunc(b.pod(name).Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
	}
}

// remove deletes a pod as the API does: it is marked, and the agent takes it out. The made-up API would drop a pod
// without finalizers at once, and can lose the mark to a status that goes up at the same time.
func (b *bed) remove(name string) {
	b.t.Helper()
	mark := []byte(`{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":2,"finalizers":["test/hold"]}}`)
	b.until(name+" is deleted", func() bool {
		p := b.pod(name)
		if p.Name != "" && p.DeletionTimestamp == nil {
			_, err := b.client.CoreV1().Pods("default").Patch(b.t.Context(), name, types.MergePatchType, mark, metav1.PatchOptions{})
			if err != nil {
				b.t.Fatal(err)
			}
		}
		return p.Name == ""
	})
}

func (b *bed) containers(uid types.UID) []pod.Container {
	all, err := b.node.PodContainers(b.t.Context(), uid)
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// TestNode: what a node says of itself, and that it is ready only with its network.
func TestNode(t *testing.T) {
	b := newBed(t)
	b.until("registered", func() bool { return b.getNode() != nil })
	if s := b.condition(corev1.NodeReady); s != corev1.ConditionFalse {
		t.Errorf("without a pod range the node's readiness is %s", s)
	}
	b.register()
	if asked := <-b.asked; asked.String() != "10.42.3.0/24" {
		t.Errorf("made a network of %s", asked)
	}
	n := b.getNode()
	if n.Labels["zone"] != "a" || n.Labels[corev1.LabelHostname] != "node-1" || n.Status.NodeInfo.KubeletVersion != "v1.37.2+leme-0.0.1" ||
		!strings.HasPrefix(n.Status.NodeInfo.ContainerRuntimeVersion, "docker://") || n.Status.Capacity.Pods().Value() != 110 ||
		n.Status.DaemonEndpoints.KubeletEndpoint.Port != 10250 || n.Status.Allocatable.Memory().IsZero() {
		t.Errorf("node %+v", n)
	}
	b.until("lease", func() bool {
		l, err := b.client.CoordinationV1().Leases("kube-node-lease").Get(t.Context(), "node-1", metav1.GetOptions{})
		return err == nil && *l.Spec.HolderIdentity == "node-1"
	})
	if err := b.client.CoreV1().Nodes().Delete(t.Context(), "node-1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.until("registered again", func() bool { return b.getNode() != nil })
}

// TestPod: a pod with most of what a pod can have, on the real engine, through its whole life.
func TestPod(t *testing.T) {
	b := newBed(t)
	b.register()
	for _, o := range []error{
		second(b.client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: "default"}, Data: map[string]string{"greeting": "hello"}}, metav1.CreateOptions{})),
		second(b.client.CoreV1().Secrets("default").Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "keys", Namespace: "default"}, Data: map[string][]byte{"key": []byte("hush")}}, metav1.CreateOptions{})),
	} {
		if o != nil {
			t.Fatal(o)
		}
	}
	p := b.rich()
	b.create(p)
	b.until("ready", b.ready("rich"))
	id, err := b.agent.Pods().ContainerID("default", "rich", "app", false)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"/etc/hosts": b.pod("rich").Status.PodIP + "\trich", "/config/greeting": "hello", "/secret/key": "hush",
	} {
		if content := b.read(id, file); !strings.Contains(content, want) {
			t.Errorf("%s: %q", file, content)
		}
	}
	b.survives(p)
	b.comesBack(p, id)
	b.remove("rich")
	b.until("nothing is left", func() bool {
		_, err := os.Stat(filepath.Join(b.home, "agent", "pods", string(p.UID)))
		return len(b.containers(p.UID)) == 0 && os.IsNotExist(err)
	})
}

// read gives a file as a container sees it.
func (b *bed) read(id, file string) string {
	b.t.Helper()
	c, ok := b.node.Find(b.t, id)
	if !ok {
		b.t.Fatalf("container %s is gone", id)
	}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/root%s", c.PID, file))
	if err != nil {
		b.t.Error(err)
	}
	return string(content)
}

func second[T any](_ T, err error) error { return err }

func (b *bed) rich() *corev1.Pod {
	p := b.node.Pod("rich", "serve", ":8080")
	get := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(8080)}}
	c := &p.Spec.Containers[0]
	c.Env = []corev1.EnvVar{
		{Name: "GREETING", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Key: "greeting"}}},
		{Name: "IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}},
	}
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: "scratch", MountPath: "/scratch"}, {Name: "scratch", MountPath: "/part", SubPath: "a/b"},
		{Name: "config", MountPath: "/config", ReadOnly: true}, {Name: "secret", MountPath: "/secret"},
	}
	c.StartupProbe = &corev1.Probe{ProbeHandler: get, PeriodSeconds: 1}
	c.ReadinessProbe = &corev1.Probe{ProbeHandler: get, PeriodSeconds: 1}
	c.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}, PeriodSeconds: 1}
	c.TerminationMessagePath = "/dev/termination-log"
	p.Spec.InitContainers = []corev1.Container{
		{Name: "first", Image: c.Image, Args: []string{"exit", "0"}},
		{Name: "second", Image: c.Image, Args: []string{"exit", "0"}},
	}
	p.Spec.Volumes = []corev1.Volume{
		{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}},
		{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "keys"}}},
	}
	p.Spec.RestartPolicy = corev1.RestartPolicyAlways
	return p
}

// survives: an agent that is killed and comes back disturbs nothing, nor does the pod seem unready meanwhile.
func (b *bed) survives(p *corev1.Pod) {
	b.t.Helper()
	before := ids(b.containers(p.UID))
	b.restart()
	b.until("adopted", func() bool {
		if !b.ready(p.Name)() {
			b.t.Fatal("the pod became unready")
		}
		_, err := b.agent.Pods().ContainerID("default", p.Name, "app", false)
		return err == nil
	})
	if after := ids(b.containers(p.UID)); !slices.Equal(before, after) {
		b.t.Errorf("containers before %v, after %v", before, after)
	}
}

// comesBack: a container that is killed is restarted; so is a pod whose sandbox is killed.
func (b *bed) comesBack(p *corev1.Pod, id string) {
	b.t.Helper()
	b.kill(id)
	b.until("restarted", func() bool {
		s := b.pod(p.Name).Status.ContainerStatuses
		return s[0].RestartCount == 1 && s[0].Ready && s[0].LastTerminationState.Terminated.ExitCode == 137
	})
	for _, c := range b.containers(p.UID) {
		if c.Sandbox {
			b.kill(c.ID)
		}
	}
	b.until("in a new sandbox", func() bool {
		s := b.pod(p.Name).Status.ContainerStatuses
		return s[0].RestartCount == 2 && s[0].Ready
	})
}

func (b *bed) kill(id string) {
	b.t.Helper()
	if _, err := b.node.Engine.ContainerKill(b.t.Context(), id, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		b.t.Fatal(err)
	}
}

func ids(list []pod.Container) []string {
	var all []string
	for _, c := range list {
		all = append(all, c.ID)
	}
	slices.Sort(all)
	return all
}

// TestEnds: how containers that end by themselves are told of.
func TestEnds(t *testing.T) {
	b := newBed(t)
	b.register()
	for name, mod := range map[string]func(*corev1.Pod){
		"fails": func(p *corev1.Pod) {
			p.Spec.Containers[0].Args = []string{"exit", "3"}
			p.Spec.Containers[0].TerminationMessagePolicy = corev1.TerminationMessageFallbackToLogsOnError
		},
		"missing": func(p *corev1.Pod) { p.Spec.Containers[0].Command = []string{"/no/such/command"} },
		"ends":    func(p *corev1.Pod) { p.Spec.Containers[0].Args = []string{"echo", "done"} },
	} {
		p := b.node.Pod(name)
		p.Spec.RestartPolicy = corev1.RestartPolicyNever
		mod(p)
		b.create(p)
	}
	for _, c := range []struct {
		name, reason, message string
		phase                 corev1.PodPhase
		code                  int32
	}{
		{"fails", "Error", "exiting with 3", corev1.PodFailed, 3},
		{"missing", "StartError", "/no/such/command", corev1.PodFailed, 127},
		{"ends", "Completed", "", corev1.PodSucceeded, 0},
	} {
		b.until(c.name+" "+string(c.phase), func() bool { return b.pod(c.name).Status.Phase == c.phase })
		end := b.pod(c.name).Status.ContainerStatuses[0].State.Terminated
		if end == nil || end.Reason != c.reason || end.ExitCode != c.code || !strings.Contains(end.Message, c.message) {
			t.Errorf("%s: %+v", c.name, end)
		}
	}
}

// BenchmarkStart is from a pod's creation to its status Running; BenchmarkEngine what one container takes the engine
// alone, on its default network.
func BenchmarkStart(b *testing.B) {
	bed := newBed(b)
	bed.register()
	started, err := bed.client.CoreV1().Pods("default").Watch(b.Context(), metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer started.Stop()
	for i := 0; b.Loop(); i++ {
		p := bed.node.Pod(fmt.Sprintf("p%d", i))
		p.Spec.RestartPolicy = corev1.RestartPolicyAlways
		bed.create(p)
		for e := range started.ResultChan() {
			if now := e.Object.(*corev1.Pod); now.UID == p.UID && now.Status.Phase == corev1.PodRunning {
				break
			}
		}
		b.StopTimer()
		bed.remove(p.Name)
		b.StartTimer()
	}
}

func BenchmarkEngine(b *testing.B) {
	n := dockertest.New(b)
	for b.Loop() {
		c, err := n.Engine.ContainerCreate(b.Context(), client.ContainerCreateOptions{
			Config: &container.Config{Image: n.Image.ID, Labels: dockertest.Labels()}})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := n.Engine.ContainerStart(b.Context(), c.ID, client.ContainerStartOptions{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := n.Remove(b.Context(), c.ID); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
