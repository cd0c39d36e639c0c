package nodeagent

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"leme/nodeagent/apitest"
	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/pod"
)

// noPuller is for tests whose images are present.
type noPuller struct{}

func (noPuller) Pull(context.Context, string, []corev1.Secret, func(pod.PullProgress)) (pod.Image, error) {
	return pod.Image{}, fmt.Errorf("nothing is pulled here")
}

func (noPuller) MayUse(string, string, []corev1.Secret) bool { return true }

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
	client apitest.API
	home   string
	asked  chan netip.Prefix
	agent  *Agent
	stop   func()
	mods   []func(*Config)
}

func newBed(t testing.TB, mods ...func(*Config)) *bed {
	b := &bed{t: t, mods: mods, node: dockertest.New(t), client: apitest.New(), home: t.TempDir(), asked: make(chan netip.Prefix, 9)}
	b.run()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *bed) run() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := Config{Home: b.home, Kubeconfig: &rest.Config{}, Runtime: b.node.Runtime, Puller: noPuller{}, Network: made{b.asked},
		NodeName: "node-1", NodeIP: "192.0.2.1", Version: "0.0.1", Labels: map[string]string{"zone": "a"}, Logger: slog.New(slog.DiscardHandler)}
	for _, mod := range b.mods {
		mod(&c)
	}
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
	apitest.Until(b.t, 30*time.Second, what, ok, b.story)
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

func (b *bed) pod(name string) *corev1.Pod { return b.client.Pod(b.t, "default", name) }

func (b *bed) ready(name string) func() bool {
	return func() bool { return b.client.Ready(b.t, "default", name) }
}

// remove deletes a pod and waits until its agent has taken it out.
func (b *bed) remove(name string) {
	b.t.Helper()
	b.client.Delete(b.t, "default", name, 2)
	b.until(name+" is deleted", func() bool { return b.pod(name).Name == "" })
}

func (b *bed) containers(uid types.UID) []pod.Container {
	all, err := b.node.PodContainers(b.t.Context(), uid)
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}
