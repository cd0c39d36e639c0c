package nodeagent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"leme/nodeagent/pod"
	"leme/nodeagent/volume"
)

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
	if h := n.Status.RuntimeHandlers; len(h) < 2 || h[0].Name != "" || *h[0].Features.UserNamespaces || *h[0].Features.RecursiveReadOnlyMounts != volume.RecursivelyReadOnly() {
		t.Errorf("its runtimes are %+v", h)
	}
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
