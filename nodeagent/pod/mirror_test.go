package pod

import (
	"context"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestPlanMirror: what is done for the mirror of a static pod.
func TestPlanMirror(t *testing.T) {
	static := fromManifest("1")
	static.Status.StartTime = &metav1.Time{Time: metav1.Now().Time}
	unseen := fromManifest("1")
	status := corev1.PodStatus{Phase: corev1.PodRunning}
	shown := func(change ...func(*corev1.Pod)) *corev1.Pod {
		p := mirrorOf(static, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node", UID: "n"}})
		p.UID, p.ResourceVersion, p.Status = "mirror", "7", static.Status
		for _, c := range change {
			c(p)
		}
		return p
	}
	old := func(p *corev1.Pod) { p.Annotations[corev1.MirrorPodAnnotationKey] = "0" }
	deleted := func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }
	behind := func(p *corev1.Pod) { p.Status = status }
	for name, test := range map[string]struct {
		static, shown *corev1.Pod
		sent          sentStatus
		want          mirrorStep
	}{
		"nothing":            {nil, nil, sentStatus{}, mirrorStays},
		"a new pod":          {static, nil, sentStatus{}, mirrorCreated},
		"as it is":           {static, shown(), sentStatus{}, mirrorStays},
		"another state":      {static, shown(behind), sentStatus{}, mirrorReported},
		"not looked at yet":  {unseen, shown(), sentStatus{}, mirrorStays},
		"told already":       {static, shown(behind), sentStatus{static.Status, "7"}, mirrorStays},
		"changed since":      {static, shown(behind), sentStatus{static.Status, "6"}, mirrorReported},
		"of an earlier file": {static, shown(old), sentStatus{}, mirrorDeleted},
		"deleted":            {static, shown(deleted), sentStatus{}, mirrorDeleted},
		"of a removed file":  {nil, shown(), sentStatus{}, mirrorDeleted},
	} {
		if got := planMirror(test.static, test.shown, test.sent); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	m := shown()
	if o := m.OwnerReferences; len(o) != 1 || o[0].Kind != "Node" || o[0].Name != "node" || !*o[0].Controller || o[0].BlockOwnerDeletion != nil {
		t.Errorf("owners %v", o)
	}
}

// fromManifest is a static pod as a file gives it.
func fromManifest(hash string) *corev1.Pod {
	p := bound(func(p *corev1.Pod) {
		p.Name, p.UID = "web-node", types.UID(hash)
		p.Annotations = map[string]string{hashAnnotation: hash, "kubernetes.io/config.source": "file"}
	})
	return p
}

// manifests is a Static that tests change.
type manifests struct {
	mu   sync.Mutex
	pods []*corev1.Pod
	set  func([]*corev1.Pod)
}

func (m *manifests) Run(ctx context.Context, set func([]*corev1.Pod)) error {
	m.mu.Lock()
	m.set = set
	set(m.pods)
	m.mu.Unlock()
	<-ctx.Done()
	return nil
}

func (m *manifests) change(pods ...*corev1.Pod) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pods = pods
	if m.set != nil {
		m.set(pods)
	}
}

// TestStatic: a pod from a file runs, is shown in the API, outlives its mirror, and changes and ends with its file.
func TestStatic(t *testing.T) {
	files := &manifests{}
	b := newBed(t, newEngine("img:1"))
	b.stop()
	b.static = files
	b.run()
	files.change(fromManifest("1"))
	b.until("shown as ready", b.ready("web-node"))
	first := b.pod("web-node")
	if first.UID == "1" || first.Annotations[corev1.MirrorPodAnnotationKey] != "1" || first.OwnerReferences[0].Name != "node" {
		t.Errorf("the mirror %+v", first.ObjectMeta)
	}
	if p, ok := b.m.Lookup("ns", "web-node", string(first.UID)); !ok || p.UID != "1" {
		t.Errorf("the mirror's UID leads to %v", p)
	}
	before := b.engine.list("1")

	b.client.Delete(t, "ns", "web-node", 30)
	b.until("shown again", func() bool {
		p := b.pod("web-node")
		return p.Name != "" && p.ResourceVersion != first.ResourceVersion && p.DeletionTimestamp == nil && b.ready("web-node")()
	})
	if after := b.engine.list("1"); len(after) != len(before) || after[0] != before[0] || after[1] != before[1] {
		t.Errorf("deleting the mirror changed the pod: %+v", after)
	}

	b.stop()
	b.run()
	b.until("adopted", func() bool { _, err := b.m.ContainerID("ns", "web-node", "web", false); return err == nil })
	b.until("not restarted", b.ready("web-node"))
	if after := b.engine.list("1"); len(after) != len(before) || after[0] != before[0] {
		t.Errorf("the next agent changed the pod: %+v", after)
	}
	if s, _ := b.m.Lookup("ns", "web-node", ""); !s.Status.StartTime.Equal(first.Status.StartTime) {
		t.Errorf("started %v, then %v", first.Status.StartTime, s.Status.StartTime)
	}

	files.change(fromManifest("2"))
	b.until("replaced", func() bool {
		return len(b.engine.list("1")) == 0 && b.pod("web-node").Annotations[corev1.MirrorPodAnnotationKey] == "2" && b.ready("web-node")()
	})
	files.change()
	b.until("gone", func() bool { return len(b.engine.list("")) == 0 && b.pod("web-node").Name == "" })
	b.until("forgotten", func() bool { return len(b.m.List()) == 0 })
}

// TestStaticWithoutServer: nobody is waited for, and who comes late is told.
func TestStaticWithoutServer(t *testing.T) {
	b := newBed(t, newEngine("img:1"))
	b.stop()
	away := b.client.Away()
	b.static = &manifests{pods: []*corev1.Pod{fromManifest("1")}}
	b.run()
	b.until("runs", func() bool {
		list := b.engine.list("1")
		return len(list) == 2 && list[0].State == Running && list[1].State == Running
	})
	away()
	b.until("shown", b.ready("web-node"))
}

// TestStrayMirror: a mirror of a pod that no file gives goes.
func TestStrayMirror(t *testing.T) {
	stray := mirrorOf(fromManifest("0"), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}})
	stray.UID = "stray"
	b := newBed(t, newEngine("img:1"), stray)
	b.until("gone", func() bool { return b.pod("web-node").Name == "" })
	if len(b.engine.list("")) > 0 {
		t.Error("it was run")
	}
}

// TestNetworkIsAwaited: pods that need an address wait for the pod network and say so; others do not.
func TestNetworkIsAwaited(t *testing.T) {
	network := make(chan struct{})
	b := newBed(t, newEngine("img:1"), bound(), bound(func(p *corev1.Pod) { p.Name, p.UID, p.Spec.HostNetwork = "host", "h", true }))
	b.stop()
	b.network = network
	b.run()
	b.until("the host's runs", b.ready("host"))
	b.until("told", func() bool { return b.events.has("NetworkNotReady network is not ready: ") })
	if list := b.engine.list(bound().UID); len(list) > 0 {
		t.Errorf("runs: %+v", list)
	}
	close(network)
	b.until("runs", b.ready("web"))
	if n := strings.Count(b.events.String(), "NetworkNotReady"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestLateAnswer: the answer to a request that comes after the mirror is gone again does not bring it back.
func TestLateAnswer(t *testing.T) {
	m := newMirrored(nil, nil, nil)
	defer m.queue.ShutDown()
	static := fromManifest("1")
	m.tell(static)
	made := mirrorOf(static, &corev1.Node{})
	made.UID, made.ResourceVersion = "made", "5"
	m.show(made, 0)
	m.lose(made)
	m.answered(made, 0, sentStatus{})
	if p := m.pods[nameOf(static)]; p.shown != nil {
		t.Error("a mirror that is gone counts as shown")
	}
	m.answered(made, 1, sentStatus{})
	if uid := m.shownAs(static); uid != "made" {
		t.Errorf("shown as %q", uid)
	}
}
